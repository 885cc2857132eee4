"""The names by which a request may call a delimiter: the character itself, or a word that survives shells and forms."""

from typing import Final

# The names that documents list. `\t`, and any of these in another case or with blanks around it, are taken as well.
DELIMITER_NAMES: Final = {
    ",": ",",
    ";": ";",
    "\t": "\t",
    "|": "|",
    "auto": "auto",
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "pipe": "|",
}
_ESCAPES: Final = {"\\t": "\t"}
NOT_A_DELIMITER: Final = "`delimiter` must be one of comma, semicolon, tab, pipe and auto"


def parse_delimiter(name: str) -> str | None:
    """The delimiter, or "auto"; None if the name means no delimiter."""
    known = DELIMITER_NAMES | _ESCAPES
    return known.get(name) or known.get(name.strip().lower())
