"""Records as pages show them: a table with few of many columns, and one record with all of its fields."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, cast
from urllib.parse import quote

from app.dashboard.views.catalogue.types import type_path
from app.imports.merging.json_values import parse_exactly
from app.imports.results.csv_cells import format_cell
from app.item_images.shown import ShownImage
from app.resources.schema import Field, Resource

MOST_COLUMNS: Final = 6  # beside the key
DOTS: Final = (".", "..")  # browsers take such a part of a path for a folder


@dataclass(frozen=True, slots=True)
class ValueLink:
    """A value of a field. `path` leads to the record that it names; "" if it names none."""

    text: str
    path: str = ""
    at: datetime | date | None = None  # of a value that is a moment or a day


@dataclass(frozen=True, slots=True)
class RecordColumn:
    """A column of the table: the id of its field, and what people call it."""

    id: str
    label: str
    numeric: bool
    field: Field | None = None

    def show(self, value: Any) -> ValueLink:
        return ValueLink(write_value(value), at=read_time(self.field, value))


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A record in the table, with a cell for each column."""

    key: str
    path: str
    cells: Sequence[ValueLink]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A field of a record that has a value."""

    id: str
    label: str
    links: Sequence[ValueLink]


# The key, the data and the last change of a record.
Row = tuple[str, Mapping[str, Any], datetime]


def read_rows(rows: Sequence[Mapping[Any, Any]]) -> list[Row]:
    """Blocking."""
    return [(row["key"], read_data(row["data"]), row["updated_at"]) for row in rows]


def read_data(text: str) -> dict[str, Any]:
    """The data of a record, with every number to its last digit."""
    return cast("dict[str, Any]", parse_exactly(text.encode()))


def record_path(type_name: str, key: str) -> str:
    """The address of a record's page, whatever its key is."""
    if key in DOTS:
        return f"{type_path(type_name)}?key={quote(key)}"
    return f"{type_path(type_name)}/{quote(key, safe='')}"


def choose_columns(resource: Resource, rows: Sequence[Mapping[str, Any]]) -> list[RecordColumn]:
    """Those fields that the records of a page have: first what new records need, then in the order of the type, then
    what the type does not declare."""
    filled = dict.fromkeys(name for row in rows for name, value in row.items() if value not in (None, "", []))
    by_id = {each.id: each for each in resource.fields if each.id != resource.keys[0]}
    declared = sorted((each for each in by_id.values() if each.id in filled), key=lambda each: not each.required)
    others = [name for name in filled if name not in by_id and name != resource.keys[0]]
    columns = [RecordColumn(each.id, each.label or each.id, is_numeric(each), each) for each in declared]
    return [*columns, *(RecordColumn(name, name, False) for name in others)][:MOST_COLUMNS]


def is_numeric(field: Field) -> bool:
    return field.type in ("integer", "decimal")


def list_lines(type_name: str, columns: Sequence[RecordColumn], rows: Sequence[Row]) -> list[RecordLine]:
    """A line for each of the records."""
    return [
        RecordLine(key, record_path(type_name, key), [each.show(data.get(each.id)) for each in columns], updated_at)
        for key, data, updated_at in rows
    ]


def write_value(value: Any) -> str:
    """As a cell of a file would have it."""
    return format_cell(value, " | ")


def list_values(resource: Resource, data: Mapping[str, Any]) -> list[FieldValue]:
    """The fields of a record that have a value, in the order of the type, then what it does not declare."""
    declared = [each.id for each in resource.fields if each.id in data]
    return [describe_value(resource, name, data[name]) for name in dict.fromkeys([*declared, *data])]


def describe_value(resource: Resource, name: str, value: Any) -> FieldValue:
    field = resource.field(name)
    return FieldValue(name, field.label if field else "", list(list_links(field, value)))


def list_links(field: Field | None, value: Any) -> Iterator[ValueLink]:
    """Each value of a list by itself, if it names a record."""
    named = value if isinstance(value, list) else [value]
    if field is not None and field.to and value and all(isinstance(each, str) for each in named):
        yield from (ValueLink(each, record_path(field.to, each)) for each in named)
    else:
        yield ValueLink(write_value(value), at=read_time(field, value))


def read_time(field: Field | None, value: Any) -> datetime | date | None:
    """The moment or the day that a field of such a type has; None for what is none."""
    if field is None or field.type not in ("date", "datetime") or not isinstance(value, str):
        return None
    try:
        if field.type == "date":
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
    except ValueError:  # it was stored while the type was another one
        return None
    return moment if moment.tzinfo else None


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """An image of an item: where the picture is, and what it shows in words."""

    path: str
    words: str


def list_pictures(
    type_name: str, key: str, data: Mapping[str, Any], images: Sequence[ShownImage]
) -> list[ShownPicture]:
    """Those of an item, or the one of a record of `item-images`, if an item sync has stored it."""
    if type_name == "item-images":
        item, _, sequence = key.rpartition("_")
        known = isinstance(data.get("sha256"), str) and sequence.isdecimal()
        return [build_picture(item, int(sequence))] if known else []
    return [build_picture(key, each.sequence) for each in images if isinstance(each.data.get("sha256"), str)]


def build_picture(item: str, sequence: int) -> ShownPicture:
    return ShownPicture(f"/app/pictures/{sequence}/{quote(item, safe='')}", f"Image {sequence} of {item}")
