"""Reads the form of an export as a request of the API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from re import fullmatch
from typing import Any, Final

from fastapi import Request

from app.dashboard.forms import read_form
from app.dashboard.views.exports.choices import NOT_EMPTY
from app.dashboard.views.exports.filled import LISTS, MOMENTS, PLAIN, ROWS, count_rows, fill
from app.errors import Complaint, Refused
from app.exports.destinations import MOST_DESTINATIONS
from app.exports.filters import MOST_CONDITIONS
from app.mappings.mapping import INLINE

FLAGS: Final = ("gzip", "neutralize")
ALONE: Final = (*PLAIN, *MOMENTS, *LISTS, *FLAGS, "delimiter", "importId", "parent", "inline", "once", "do")
LABELS: Final[Mapping[str, str]] = {
    "name": "The name",
    "mappingId": "The choice of columns",
    "updatedSince": "The time of the last change",
    "createdSince": "The time of creation",
    "importId": "The id of the import",
    "keys": "The list of keys",
    "fields": "The list of columns",
    "confirmEmail": "The address for the mail",
}
ROW_WORDS: Final = {"where": "condition", "destination": "destination"}
MOST_ROWS: Final = {"where": MOST_CONDITIONS, "destination": MOST_DESTINATIONS}


@dataclass(frozen=True, slots=True)
class SentExport:
    """`members` are those of `POST /exports`. `fields`: path in a complaint about them -> field of the form."""

    members: Mapping[str, Any]
    fields: Mapping[str, str]


async def read_values(request: Request) -> dict[str, str]:
    """What was typed, by field. Fields that the form does not have are left out, and those that were not sent empty."""
    sent = {name: text.strip() for name, text in (await read_form(request)).items() if isinstance(text, str)}
    return fill({}) | {name: text for name, text in sent.items() if name in ALONE or is_in_row(name)}


def is_in_row(name: str) -> bool:
    found = fullmatch(r"([a-z]+)-([0-9]{1,2})-([a-z]+)", name)
    return found is not None and found[3] in ROWS.get(found[1], ()) and int(found[2]) < MOST_ROWS[found[1]]


def read_export(values: Mapping[str, str]) -> SentExport:
    """What is empty is left out, and so is a mapping that the export before brought with it."""
    members: dict[str, Any] = {name: values.get(name, "") for name in (*PLAIN, "delimiter")}
    members = {name: text for name, text in members.items() if text and text != INLINE}
    members |= {"gzip": True} if values.get("gzip") else {}
    members |= {"formulas": "neutralize"} if values.get("neutralize") else {}
    fields = {"mapping": "mappingId"}
    asked = read_filter(values, fields)
    members |= {"filter": asked} if asked else {}
    destinations = []
    for at, row in enumerate(list_rows(values, "destination")):
        path, connection = (values.get(f"{row}-{part}", "") for part in ("path", "connection"))
        destinations.append({"connectionId": connection, "path": path})
        own = f"destinations[{at}]"
        fields |= {own: f"{row}-path", f"{own}.path": f"{row}-path", f"{own}.connectionId": f"{row}-connection"}
    return SentExport(members | ({"destinations": destinations} if destinations else {}), fields)


def read_filter(values: Mapping[str, str], fields: dict[str, str]) -> dict[str, Any]:
    """Adds to `fields`."""
    asked: dict[str, Any] = {name: spell_moment(values[name]) for name in MOMENTS if values.get(name)}
    asked |= {"importId": values["importId"]} if values.get("importId") else {}
    for name in LISTS:
        if lines := [line.strip() for line in values.get(name, "").splitlines() if line.strip()]:
            asked[name] = lines
            fields |= {f"filter.{name}[{at}]": name for at in range(len(lines))}
    conditions = []
    for at, row in enumerate(list_rows(values, "where")):
        conditions.append(read_condition(*(values.get(f"{row}-{part}", "") for part in ROWS["where"])))
        fields |= {f"filter.where[{at}].{part}": f"{row}-{part}" for part in ROWS["where"]}
    fields |= {f"filter.{name}": name for name in (*MOMENTS, *LISTS, "importId")}
    return asked | ({"where": conditions} if conditions else {})


def read_condition(name: str, operator: str, text: str) -> dict[str, Any]:
    """Several values stand between commas."""
    if operator == NOT_EMPTY:
        return {"field": name, "operator": "isEmpty", "value": False}
    if operator == "isEmpty":
        return {"field": name, "operator": operator}
    several = [each.strip() for each in text.split(",") if each.strip()]
    return {"field": name, "operator": operator, "value": several if operator == "in" else text}


def list_rows(values: Mapping[str, str], kind: str) -> Iterator[str]:
    """The rows whose first field is chosen, as in `where-0`."""
    rows = (f"{kind}-{number}" for number in range(count_rows(values, kind)))
    return (row for row in rows if values.get(f"{row}-{ROWS[kind][0]}"))


def spell_moment(text: str) -> str:
    """A time of the form, which is in UTC and may lack its seconds."""
    return f"{text}:00Z" if len(text) == len("2026-11-27T10:00") else f"{text}Z"


def place_complaints(refused: Refused, fields: Mapping[str, str]) -> tuple[Complaint, ...]:
    """Each at its field, and in the words of the form: "`filter.where[0].value`" is the value of a condition."""
    given = refused.complaints or (Complaint("", refused.detail),)
    placed = [(each, fields.get(each.path, each.path)) for each in given]
    return tuple(
        Complaint(name, each.reason.replace(f"`{each.path}`", describe_field(name), 1)) for each, name in placed
    )


def describe_field(name: str) -> str:
    """What the form calls a field."""
    found = fullmatch(r"([a-z]+)-([0-9]+)-([a-z]+)", name)
    return f"The {found[3]} of {ROW_WORDS[found[1]]} {int(found[2]) + 1}" if found else LABELS.get(name, f"`{name}`")
