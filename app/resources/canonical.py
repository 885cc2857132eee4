"""Brings texts into the form in which they are compared, at a cost that grows only with their length."""

import re
from typing import Final
from unicodedata import combining, normalize

# `normalize` sorts the combining marks in a row by insertion: 60,000 of two kinds take it 15 s, and it holds the GIL
# all the while. Unicode's Stream-Safe Text Format (UAX #15, section 13) allows 30; no word of any language has as many.
MOST_MARKS: Final = 30
_COMPOSED_MARKS: Final = frozenset("\u0f73\u0f75\u0f81")  # two marks each, although `combining` does not say so
_find_many = re.compile(rf"[^\x00-\u02ff]{{{MOST_MARKS + 1}}}").search  # no character below U+0300 is such a mark


def to_nfc(text: str) -> str:
    """The text in NFC; as it is if it has more than MOST_MARKS combining marks in a row. Either way a text that is
    sent twice becomes the same text, and what this returns is returned again for itself."""
    return text if text.isascii() or has_many_marks(text) else normalize("NFC", text)


def fold(text: str) -> str:
    """The text without regard to case and to compatibility forms, with its accents as marks of their own (NFD). With
    more than MOST_MARKS combining marks in a row only the case is folded."""
    folded = text.casefold()
    return folded if has_many_marks(folded) else normalize("NFD", normalize("NFKC", folded).casefold())


def split_marks(text: str) -> str:
    """The text with its accents as marks of their own (NFKD); as it is with more than MOST_MARKS of them in a row."""
    return text if has_many_marks(text) else normalize("NFKD", text)


def has_many_marks(text: str) -> bool:
    if _find_many(text) is None:
        return False
    marks = 0
    for character in text:
        marks = marks + 1 if combining(character) or character in _COMPOSED_MARKS else 0
        if marks > MOST_MARKS:
            return True
    return False
