"""The names by which a request may call a delimiter: the character itself, or a word that survives shells and forms."""

from typing import Final

# Each delimiter by its word. The characters are what documents list, since vendors' clients send them.
DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "auto": "auto"}
# Words are taken in any case and with blanks around them, too.
_NAMES: Final = {**DELIMITERS, **{each: each for each in DELIMITERS.values()}, "\\t": "\t"}
NOT_A_DELIMITER: Final = "`delimiter` must be one of comma, semicolon, tab, pipe and auto"


def parse_delimiter(name: str) -> str | None:
    """The delimiter, or "auto"; None if the name means no delimiter."""
    return _NAMES.get(name) or _NAMES.get(name.strip().lower())
