"""The form of an export, filled in from what was asked of the API."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.dashboard.views.exports.choices import NOT_EMPTY
from app.mappings.delimiters import DELIMITERS
from app.mappings.mapping import DEFAULT

PLAIN: Final = ("type", "name", "format", "encoding", "mappingId", "confirmEmail")
MOMENTS: Final = ("updatedSince", "createdSince")
LISTS: Final = ("keys", "fields")  # one value a line
# What comes in rows -> the fields of a row, called as in `where-0-field`.
ROWS: Final[Mapping[str, Sequence[str]]] = {
    "where": ("field", "operator", "value"),
    "destination": ("connection", "path"),
}
WORDS: Final = {character: word for word, character in DELIMITERS.items()}
FLAGS: Final = {True: "true", False: "false"}


def fill(members: Mapping[str, Any]) -> dict[str, str]:
    """The values of the form for the members of `POST /exports`."""
    given, asked = {"mappingId": DEFAULT, "format": "csv", **members}, members.get("filter") or {}
    values = {name: str(given.get(name) or "") for name in PLAIN}
    values["delimiter"] = WORDS.get(members.get("delimiter", ""), "")
    values |= {"gzip": FLAGS[True] if members.get("gzip") else "", "importId": str(asked.get("importId") or "")}
    values["neutralize"] = FLAGS[True] if members.get("formulas") == "neutralize" else ""
    values |= {name: show_moment(str(asked.get(name) or "")) for name in MOMENTS}
    values |= {name: "\n".join(asked.get(name) or ()) for name in LISTS}
    rows: dict[str, list[tuple[str, ...]]] = {
        "where": [show_condition(each) for each in asked.get("where") or ()],
        "destination": [(each["connectionId"], each["path"]) for each in members.get("destinations") or ()],
    }
    for kind, filled in rows.items():
        for number, row in enumerate(filled):
            values |= {f"{kind}-{number}-{part}": text for part, text in zip(ROWS[kind], row, strict=True)}
    return values


def show_moment(text: str) -> str:
    """A time of the API, which the form takes in UTC and without its zone."""
    return text.removesuffix("Z").removesuffix(":00")


def show_condition(condition: Mapping[str, Any]) -> tuple[str, str, str]:
    """Field, operator and value."""
    operator, value = condition["operator"], condition.get("value")
    if operator == "isEmpty":
        return condition["field"], NOT_EMPTY if value is False else operator, ""
    return condition["field"], operator, ", ".join(map(show_scalar, value if isinstance(value, list) else [value]))


def show_scalar(value: object) -> str:
    return FLAGS[value] if isinstance(value, bool) else str(value)


def add_rows(values: Mapping[str, str], least: Mapping[str, int]) -> dict[str, str]:
    """The values with every field of each row: those that were typed, and as many as there are to be at `least`."""
    rows = {kind: max(count_rows(values, kind), least.get(kind, 0)) for kind in ROWS}
    blank = {f"{kind}-{n}-{part}": "" for kind, parts in ROWS.items() for n in range(rows[kind]) for part in parts}
    return {**blank, **values}


def count_rows(values: Mapping[str, str], kind: str) -> int:
    """Up to the last one that has a field."""
    numbers = [int(name.split("-")[1]) for name in values if name.startswith(f"{kind}-")]
    return max(numbers, default=-1) + 1
