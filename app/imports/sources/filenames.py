"""Makes the names of files safe to show and to log. They are never used as a path."""

import unicodedata

LONGEST = 255  # bytes
# Control characters, marks that change the direction of text, lone surrogates, unassigned and private characters, and
# line ends.
UNSAFE = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def sanitize_filename(name: str) -> str | None:
    """The last part of the path without invisible characters, at most LONGEST bytes; None if nothing is left."""
    last = name.replace("\\", "/").rpartition("/")[2]
    visible = "".join(each for each in last if unicodedata.category(each) not in UNSAFE).strip(" .")
    stem, dot, ending = visible.rpartition(".")
    if not dot or len(ending) > 16:
        return truncate(visible, LONGEST) or None
    return truncate(stem, LONGEST - len(f".{ending}".encode())) + f".{ending}"


def truncate(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")
