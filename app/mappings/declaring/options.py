"""The options of an import that a mapping may bring along, for requests that do not set them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from app.errors import Complaint, Refused, describe, join_choices
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
    "mode": must_be_one_of(("write", "delete")),
    "blankCells": must_be_one_of(BLANKS),
    "nullMarker": must_be_text(LONGEST_MARKER),
    "duplicates": must_be_one_of(("last", "first", "error")),
    "unknownColumns": must_be_one_of(("ignore", "keep", "error")),
    "replace": find_mistake_of_flag,
    "onError": must_be_one_of(("continue", "stop", "rollback")),
    "undoable": find_mistake_of_flag,
    "ifSameFile": must_be_one_of(("allow", "report", "refuse")),
    **{brake.name: brake.find_mistake for brake in BRAKES.values()},
}
# What counts where nobody says it. What is not here counts as the type declares or as is found in the file, or there is
# no such limit.
DEFAULTS: Final[Mapping[str, Any]] = {
    "overrideExisting": True,
    "updateOnlyEmptyFields": False,
    "mode": "write",
    "blankCells": "keep",
    "duplicates": "last",
    "replace": False,
    "onError": "continue",
    "undoable": True,
    "ifSameFile": "allow",
}


def removes_records(options: Mapping[str, Any]) -> bool:
    """Whether an import with these options may remove records."""
    return bool(options.get("replace")) or options.get("mode") == "delete"


def find_changed(shown: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What of the options that a form brings differs from what it has shown, so that nothing is stored that nobody has
    chosen. "" stands for none. Raises one Refused("invalid") that names every mistake."""
    changed = {name: value for name, value in given.items() if value != shown.get(name, DEFAULTS.get(name, ""))}
    mistakes = {name: OPTIONS[name](value) for name, value in changed.items() if name in OPTIONS and value != ""}
    complaints = [Complaint(name, f"`{name}` {mistake}") for name, mistake in mistakes.items() if mistake]
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
    return changed
