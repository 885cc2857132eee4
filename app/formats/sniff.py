"""Finds out how a file is to be read when the request does not say: its format, and its delimiter."""

import csv
import io
from pathlib import PurePosixPath

from app.errors import Complaint, Refused
from app.formats.records import Dialect

# The order decides between delimiters that fit equally well.
DELIMITERS = (",", ";", "\t", "|")
AUTO = "auto"
SPELLED = {"tab": "\t", "\\t": "\t"}

DECLARED: dict[str, str] = {"csv": "csv", "tsv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "json-lines": "jsonl"}
EXTENSIONS: dict[str, str] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
SNIFFED = 65_536  # bytes of the head in which the delimiter is looked for


def detect_dialect(head: bytes, *, declared_format: str | None, file_name: str | None, delimiter: str) -> Dialect:
    """How to read the file that begins with `head` (UTF-8). `delimiter`: one of DELIMITERS, or AUTO. Raises Refused."""
    found = _format(head, declared_format, file_name)
    if found == "jsonl":
        return Dialect(found)
    wanted = SPELLED.get(delimiter, delimiter)
    if wanted not in (*DELIMITERS, AUTO):
        reason = "must be one of: a comma, a semicolon, a tab, a vertical bar, or the word auto"
        raise Refused("invalid", f"The delimiter {reason}", [Complaint("delimiter", reason)])
    return Dialect(found, sniff_delimiter(head) if wanted == AUTO else wanted)


def sniff_delimiter(head: bytes) -> str:
    """The delimiter that cuts the most records into as many cells as the header has; then the one with more cells."""
    text = _whole_lines(head[:SNIFFED]).decode("utf-8", "surrogateescape")
    # max() keeps the first of equals.
    return max(DELIMITERS, key=lambda delimiter: _fit(text, delimiter))


def _format(head: bytes, declared: str | None, file_name: str | None) -> str:
    if declared is not None:
        if declared.lower() not in DECLARED:
            reason = f"must be one of {', '.join(DECLARED)}"
            raise Refused("invalid", f"The format {reason}", [Complaint("format", reason)])
        return DECLARED[declared.lower()]
    path = PurePosixPath((file_name or "").lower().removesuffix(".gz"))
    return EXTENSIONS.get(path.suffix) or ("jsonl" if head.lstrip().startswith(b"{") else "csv")


def _whole_lines(head: bytes) -> bytes:
    # The last line may be cut short; when there is no other, it has to do.
    return head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1] or head


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    # Not strict: a broken quote must not hide the records after it.
    try:
        widths = [len(record) for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if record]
    except csv.Error:
        return 0.0, 0
    columns = widths[0] if widths else 0
    return (widths.count(columns) / len(widths), columns) if columns > 1 else (0.0, 0)
