"""Names of uploaded files, made harmless: they are shown and logged, never used as a path."""

import unicodedata

LONGEST = 255  # bytes
# Control characters, marks that turn the direction of text, lone surrogates, unassigned and private ones, line ends.
UNWANTED = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def sanitize_filename(name: str) -> str | None:
    """The last part of the path, without what cannot be seen, at most LONGEST bytes long; None if nothing is left."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(each for each in last if unicodedata.category(each) not in UNWANTED).strip(" .")
    stem, dot, ending = seen.rpartition(".")
    if not dot or len(ending) > 16:
        return cut(seen, LONGEST) or None
    return cut(stem, LONGEST - len(f".{ending}".encode())) + f".{ending}"


def cut(text: str, length: int) -> str:
    return text.encode()[:length].decode(errors="ignore")
