"""Hints about whole rows: another delimiter, and the encoding that their bytes probably have."""

import csv
import re
from typing import Final

from app.formats.sniff import DELIMITERS
from app.mappings.hints.hint import Cure, Evidence

WESTERN: Final = "windows-1252"
# What texts of western Europe have beside ASCII. Other encodings make other characters of these bytes.
LETTERS: Final = frozenset("äöüÄÖÜßéèêëàâáãåçñíìîïóòôõøúùûýÿæœÉÈÊÀÂÁÃÅÇÑÍÎÓÔÕØÚÛÆŒ")
SIGNS: Final = frozenset("€–—‘’‚“”„…©®™°·ºª¿¡«»§£´¨\u00a0")
_escaped = re.compile(r"\\x([89a-f][0-9a-f])")


def find_encoding(evidence: Evidence) -> Cure | None:
    """Rows whose bytes are no UTF-8 and are letters in the encoding of most old programs. A row that has characters
    beyond ASCII which are UTF-8 contradicts that, and so does a file that is no UTF-8 at all: one in UTF-16 is cut."""
    if not evidence.encoding.startswith("utf-8") or not all(row.isascii() for row in evidence.seen):
        return None
    found = b"".join(bytes.fromhex(byte) for row in evidence.seen for byte in _escaped.findall(row))
    if not (letter := find_letter(found)):
        return None
    told = {"encoding": WESTERN, "byte": f"0x{letter.encode(WESTERN).hex().upper()}", "letter": letter}
    return Cure(told, options={"encoding": WESTERN})


def find_letter(found: bytes) -> str:
    """The first letter that the bytes beyond ASCII are in WESTERN; "" if one of them is nothing that texts have."""
    characters = found.decode(WESTERN, "replace")
    letters = filter(LETTERS.__contains__, characters)
    return next(letters, "") if set(characters) <= LETTERS | SIGNS else ""


def guess_western(text: str) -> str:
    """WESTERN if that is what the bytes are which the text has as surrogates."""
    found = bytes(ord(each) - 0xDC00 for each in text if "\udc80" <= each <= "\udcff")
    return WESTERN if find_letter(found) else ""


def find_delimiter(evidence: Evidence) -> Cure | None:
    """Rows that have as many cells as the header if another delimiter separates them."""
    if evidence.columns < 2:
        return None
    others = [each for each in DELIMITERS if each != evidence.delimiter]
    fitting = [each for each in others if all(count_cells(row, each) == evidence.columns for row in evidence.seen)]
    if len(fitting) != 1 or not evidence.seen:
        return None
    shown = "tab" if fitting[0] == "\t" else fitting[0]
    return Cure({"delimiter": shown, "count": str(evidence.columns)})


def count_cells(row: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([row], delimiter=delimiter), []))
    except csv.Error:
        return 0
