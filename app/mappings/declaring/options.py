"""The options of an import that a mapping may bring along, for requests that do not set them."""

from collections.abc import Callable
from typing import Final

from app.errors import Refused, join_choices
from app.formats.decode import normalize_encoding
from app.mappings.conversions import BLANKS, LONGEST_MARKER, find_mistake_of_flag, must_be_one_of, must_be_text
from app.mappings.delimiters import DELIMITERS, parse_delimiter
from app.runs.holding.brakes import BRAKES


def find_mistake_of_delimiter(value: object) -> str | None:
    known = isinstance(value, str) and parse_delimiter(value) is not None
    return None if known else f"must be {join_choices(DELIMITERS)}"


def find_mistake_of_encoding(value: object) -> str | None:
    try:
        normalize_encoding(value if isinstance(value, str) else "")
    except Refused as unknown:
        return unknown.detail.removeprefix("`encoding` ")
    return None


# Each by its name in requests, with what says why a value cannot be: a text that goes on from the name.
OPTIONS: Final[dict[str, Callable[[object], str | None]]] = {
    "format": must_be_one_of(("csv", "jsonl")),
    "delimiter": find_mistake_of_delimiter,
    "encoding": find_mistake_of_encoding,
    "overrideExisting": find_mistake_of_flag,
    "updateOnlyEmptyFields": find_mistake_of_flag,
    "blankCells": must_be_one_of(BLANKS),
    "nullMarker": must_be_text(LONGEST_MARKER),
    "duplicates": must_be_one_of(("last", "first", "error")),
    "unknownColumns": must_be_one_of(("ignore", "keep", "error")),
    "replace": find_mistake_of_flag,
    "onError": must_be_one_of(("continue", "stop", "rollback")),
    **{brake.name: brake.find_mistake for brake in BRAKES.values()},
}
