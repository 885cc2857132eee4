"""Which item a picture shows, by the name of its file: `ITEMCODE_SEQUENCE.jpg`, or `ITEMCODE.jpg` for the first one."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from app.resources.field_types import normalize_key
from app.resources.schema import Field

EXTENSIONS: Final = frozenset({"jpg", "jpeg", "png"})  # in any case
FIRST: Final = 1  # the sequence of a name that has none
# What macOS and Windows put into every archive and folder. Names that begin with a point are hidden files.
LEFT_BY_SYSTEMS: Final = frozenset({"thumbs.db", "desktop.ini"})
SYSTEM_FOLDER: Final = "__MACOSX"
ITEM_CODE: Final = Field("itemCode", "text")
ASCII_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_match_sequence = re.compile(r"(.+)_([0-9]{1,4})", re.DOTALL).fullmatch


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the name of a file. `item_code` may be in another case than the item's."""

    item_code: str
    sequence: int


@dataclass(frozen=True, slots=True)
class KnownItems:
    """Those items that some readings may mean: their codes, and by their codes in lower case (of ASCII) all that there
    are."""

    codes: frozenset[str]
    by_lower_case: Mapping[str, list[str]]


def is_left_by_system(path: str) -> bool:
    folders = re.split(r"[/\\]", path)
    return folders[-1].startswith(".") or folders[-1].lower() in LEFT_BY_SYSTEMS or SYSTEM_FOLDER in folders[:-1]


def has_picture_extension(name: str) -> bool:
    return name.rpartition(".")[2].lower() in EXTENSIONS and "." in name


def list_readings(name: str) -> list[Reading]:
    """All readings, the one that counts most first: the longest code, and the name with its percent-encoded characters
    before the name as it is."""
    stem = name.rpartition(".")[0]
    readings: list[Reading] = []
    for text in dict.fromkeys((decode_percent(stem), stem)):
        readings.append(Reading(normalize_key(ITEM_CODE, text), FIRST))
        if found := _match_sequence(text.strip()):
            readings.append(Reading(normalize_key(ITEM_CODE, found[1]), int(found[2])))
    return [each for each in dict.fromkeys(readings) if each.item_code and "\0" not in each.item_code]


def decode_percent(text: str) -> str:
    """As it is if the encoded bytes are not UTF-8."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text


def choose_reading(readings: Iterable[Reading], items: KnownItems) -> Reading | None:
    """The first reading that an item has as its code; else the first that one item alone has in another case."""
    readings = list(readings)
    for reading in readings:
        if reading.item_code in items.codes:
            return reading
    for reading in readings:
        similar = items.by_lower_case.get(lower(reading.item_code), [])
        if len(similar) == 1:
            return Reading(similar[0], reading.sequence)
    return None


def lower(code: str) -> str:
    """In lower case as PostgreSQL has it with the collation C: only the letters of ASCII."""
    return code.translate(ASCII_LOWER)
