"""Finds, once per run, the field that each column of a file fills, and refuses headers that cannot work."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.errors import Complaint, Refused, describe
from app.mappings.mapping import Mapping
from app.resources.schema import Field, Resource, UnknownColumns

FindField = Callable[[str], Field | None]  # heading -> field

MOST_DESCRIBED: Final = 10  # mistakes in the text of a refusal; its complaints list them all


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file and the field that it fills. `index` is its position in the header, from 0."""

    heading: str
    field: str
    index: int
    known: bool = True  # False: the type does not declare it, and it is kept as text


@dataclass(frozen=True, slots=True)
class IgnoredColumn:
    """A column that is not read, and the code of the warning about it."""

    heading: str
    code: Literal["read_only_column", "unknown_column"]


def find_columns(
    header: Sequence[str],
    resource: Resource,
    mapping: Mapping,
    *,
    unknown: UnknownColumns | None = None,
    key_required: bool = True,
    skip: Collection[str] = (),
) -> tuple[tuple[Column, ...], list[IgnoredColumn]]:
    """The columns to read, and those that are ignored. `unknown` says what happens to a column without a field; None
    means whatever the type declares. Columns named in `skip` are passed over in silence, and so are columns without
    a heading, which hold no data (`refuse_data_without_heading`).

    Raises Refused("invalid") for two columns with one field, a missing key or required column, and, with `unknown`
    "error", for an unknown column. It lists every mistake.
    """
    find_field = build_finder(mapping, resource)
    unknown = unknown or resource.unknown_columns
    columns: list[Column] = []
    ignored: list[IgnoredColumn] = []
    complaints: list[Complaint] = []
    for index, heading in enumerate(header):
        field = find_field(heading)
        if field is not None and not field.read_only and field.id not in mapping.constants:
            columns.append(Column(heading, field.id, index))
        elif field is not None:
            ignored.append(IgnoredColumn(heading, "read_only_column"))
        elif heading in skip or not heading:
            continue
        elif unknown == "error" or (unknown == "keep" and not resource.has_room_for(heading)):
            complaints.append(Complaint(heading, describe_unknown(heading, resource, unknown)))
        elif unknown == "keep":
            columns.append(Column(heading, resource.unknown_field_id(heading), index, known=False))
        else:
            ignored.append(IgnoredColumn(heading, "unknown_column"))
    complaints += find_doubles(columns)
    complaints += find_missing(columns, resource, mapping, key_required=key_required)
    if complaints:
        raise Refused("invalid", describe(complaints[:MOST_DESCRIBED]), complaints)
    return tuple(columns), ignored


def build_finder(mapping: Mapping, resource: Resource) -> FindField:
    """A function that finds the field of a heading: by the mapping's columns if it has any, else by the field's id."""
    if mapping.columns:
        fields = {each.heading: resource.field(each.field) for each in mapping.columns}
        find_exactly: FindField = fields.get
    else:
        fields = {each.id: each for each in resource.fields}
        find_exactly = resource.field  # this knows the members of nested records, too
    if not mapping.ignore_case:
        return find_exactly
    # Of headings that differ in case alone the first wins.
    folded = {heading.casefold(): field for heading, field in reversed(fields.items())}
    return lambda heading: find_exactly(heading) or folded.get(heading.casefold())


def describe_unknown(heading: str, resource: Resource, unknown: UnknownColumns) -> str:
    why = ", and it cannot be kept beside the declared fields around it" if unknown == "keep" else ""
    return f"The type `{resource.name}` has no field `{heading}`{why}"


def find_doubles(columns: Iterable[Column]) -> Iterable[Complaint]:
    first: dict[str, Column] = {}
    for column in columns:
        before = first.setdefault(column.field, column)
        if before is not column:
            both = " and ".join(f"`{each.heading}` (column {each.index + 1})" for each in (before, column))
            yield Complaint(column.heading, f"Two columns fill the field `{column.field}`: {both}")


def find_missing(
    columns: Iterable[Column], resource: Resource, mapping: Mapping, *, key_required: bool
) -> Iterable[Complaint]:
    filled = {column.field for column in columns} | mapping.constants.keys()
    if key_required and not filled.intersection(resource.keys):
        keys = " or ".join(f"`{key}`" for key in resource.keys)
        yield Complaint(resource.keys[0], f"Column {keys} is required")
    for field in resource.fields:
        if field.required and field.id not in filled and field.id not in resource.keys:
            yield Complaint(field.id, f"Column `{field.id}` is required")


def list_fields(resource: Resource, mapping: Mapping) -> tuple[Column, ...]:
    """The columns of a format without a header: any record may have any member that can be written."""
    writable = (each for each in resource.fields if not each.read_only and each.id not in mapping.constants)
    return tuple(Column(each.id, each.id, index) for index, each in enumerate(writable))
