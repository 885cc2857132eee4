"""Characters of a file that cannot be stored: NUL, lone surrogates, and bytes that are not text in its encoding.

Text is decoded with `surrogateescape`, so a byte that is not UTF-8 appears as a surrogate from U+DC80 to U+DCFF.
"""

import re
import unicodedata

from app.problems import RowError, row_error

SHOWN_CHARACTERS = 60  # of a heading that a message repeats

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_NUL_OR_BYTE = re.compile("[\0\udc80-\udcff]")
# A lone surrogate that somebody wrote in UTF-8 as if it were a character: three bytes that are not UTF-8.
_ENCODED_SURROGATE = re.compile("\udced[\udca0-\udcbf][\udc80-\udcbf]")


def describe_unstorable(text: str, at: int, encoding: str) -> RowError:
    """What is wrong with the character at index `at` of a row's text."""
    surrogate = _ENCODED_SURROGATE.match(text, at)
    if surrogate:
        code_point = 0xD000 + ((ord(text[at + 1]) & 0x3F) << 6) + (ord(text[at + 2]) & 0x3F)
        return row_error("invalid_character", character=f"U+{code_point:04X}")
    if text[at] == "\0":
        return row_error("invalid_character", character="U+0000")
    byte = f"0x{ord(text[at]) - 0xDC00:02X}"
    return row_error("encoding_error", byte=byte, position=at + 1, encoding=encoding)


def escape_unstorable(text: str) -> str:
    """The text with what cannot be stored written as `\\x00` or `\\xe9`; only for the report about a bad row."""
    if not UNSTORABLE.search(text):
        return text
    escaped = _NUL_OR_BYTE.sub(lambda byte: f"\\x{ord(byte[0]) & 0xFF:02x}", text)
    return escaped.encode("utf-8", "backslashreplace").decode()


def excerpt(text: str, limit: int | None) -> str:
    """What is kept of an unreadable row's text: at most `limit` characters (None: all), without its line end."""
    return escape_unstorable(text[:limit].rstrip("\r\n"))[:limit]


def spell_invisible(text: str) -> str:
    """The text with every character that a person cannot see, other than a blank, spelled as `<U+FEFF>`."""
    return "".join(f"<U+{ord(each):04X}>" if _is_invisible(each) else each for each in text)


def spell_heading(heading: str) -> str:
    """A heading as messages show it: cut, and with invisible characters spelled."""
    text = heading.strip(" \t\r\n")
    return spell_invisible(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…")


def _is_invisible(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "C" or (category[0] == "Z" and character != " ")
