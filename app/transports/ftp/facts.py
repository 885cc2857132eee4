"""What an FTP server tells of a file: the facts of MLST and MLSD, and the answers of SIZE and MDTM."""

from datetime import UTC, datetime

from app.transports.failed import failure
from app.transports.transport import FileInfo

UNSIGNED, LARGEST_SIZE = 2**32 - 1, 2**63  # -1 in 32 bits; from here on numbers of 64 bits have a sign


def parse_facts(line: str) -> tuple[dict[str, str], str]:
    """Parses `Type=file;Size=3; a name` (RFC 3659 §7.2)."""
    facts, _, name = line.partition(" ")
    pairs = (fact.partition("=") for fact in facts.split(";"))
    return {key.lower(): value for key, _, value in pairs}, name


def file_from_facts(path: str, facts: dict[str, str]) -> FileInfo:
    size = facts.get("size", "")
    return FileInfo(path, parse_size(size) if size.isdecimal() else None, parse_time(facts.get("modify", "")))


def require_size(file: FileInfo) -> FileInfo:
    """Raises TransportFailed."""
    if file.size is None:
        raise failure("odd_size")
    return file


def parse_size(text: str) -> int | None:
    """None for a size that no file has: some servers do not know that of a large file, and say -1, with a sign or
    without. Raises ValueError."""
    size = int(text)
    return size if 0 <= size < LARGEST_SIZE and size != UNSIGNED else None


def parse_time(text: str) -> datetime | None:
    """Parses `20261121093000`, in UTC (RFC 3659 §2.3). A fraction is dropped: not every command gives it."""
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
