"""Finds, once per run, the field that each column of a file fills, and refuses headers that cannot work."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.errors import Complaint, Refused, describe
from app.formats.characters import spell_heading
from app.mappings.mapping import Mapping
from app.mappings.nearest import NearestName
from app.resources.schema import Field, Resource, UnknownColumns

FindField = Callable[[str], Field | None]  # heading -> field

MOST_DESCRIBED: Final = 10  # mistakes in the text of a refusal; its complaints list them all
NAMED_FIELDS: Final = 10  # of the type, for somebody who sent none of them


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

    Raises Refused("invalid") for two columns with one field, a missing key or required column, a header of which
    nothing is known, and, with `unknown` "error", for an unknown column. It lists every mistake.
    """
    find_field, unknown = build_finder(mapping, resource), unknown or resource.unknown_columns
    nearest = NearestName(list_headings(mapping, resource))
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
            complaints.append(describe_unknown(heading, resource, unknown, nearest))
        elif unknown == "keep":
            columns.append(Column(heading, resource.unknown_field_id(heading), index, known=False))
        else:
            ignored.append(IgnoredColumn(heading, "unknown_column"))
    complaints += find_doubles(columns)
    complaints += complain_of_missing(header, columns, resource, mapping, key_required=key_required)
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


def list_headings(mapping: Mapping, resource: Resource) -> dict[str, str]:
    """The headings that a file may have, each with the id of its field. Those of nested records are not listed."""
    if mapping.columns:
        return {each.heading: each.field for each in mapping.columns}
    return {each.id: each.id for each in resource.fields if not each.read_only}


def describe_unknown(heading: str, resource: Resource, unknown: UnknownColumns, nearest: NearestName) -> Complaint:
    why = ", and it cannot be kept beside the declared fields around it" if unknown == "keep" else ""
    reason = f"The type `{resource.name}` has no field `{spell_heading(heading)}`{why}"
    meant = nearest.find(heading)
    return Complaint(heading, f"{reason}. Did you mean `{meant}`?" if meant else reason)


def complain_of_missing(
    header: Sequence[str], columns: Sequence[Column], resource: Resource, mapping: Mapping, *, key_required: bool
) -> Iterable[Complaint]:
    key_required = key_required and not resource.generates_key
    names = list_headings(mapping, resource)
    known = {column.heading for column in columns if column.known}
    missing = list(find_missing(columns, resource, mapping, key_required=key_required))
    strays = [heading for heading in header if heading and heading not in known] if missing else []
    guesses = guess_fields(strays, names)
    yield from (describe_missing(fields, guesses) for fields in missing)
    if not key_required and not known:
        yield describe_nothing_known(resource, names)


def describe_nothing_known(resource: Resource, names: Collection[str]) -> Complaint:
    listed = ", ".join(f"`{name}`" for name in list(names)[:NAMED_FIELDS])
    return Complaint(
        "file", f"No column of the file is a field of `{resource.name}`. Its columns are {listed}, and so on"
    )


def guess_fields(strays: Iterable[str], names: dict[str, str]) -> dict[str, str]:
    """For fields of which an unknown heading looks like the name: the question whether it was meant."""
    nearest = NearestName(names)
    found = [(name, heading) for heading in strays if (name := nearest.find(heading))]
    # Of several headings that look like one name the first counts.
    asked = [(names[name], f"Did you mean `{name}` instead of `{spell_heading(heading)}`?") for name, heading in found]
    return dict(reversed(asked))


def find_doubles(columns: Iterable[Column]) -> Iterable[Complaint]:
    first: dict[str, Column] = {}
    for column in columns:
        before = first.setdefault(column.field, column)
        if before is not column:
            both = " and ".join(f"`{each.heading}` (column {each.index + 1})" for each in (before, column))
            yield Complaint(column.heading, f"Two columns fill the field `{column.field}`: {both}")


def find_missing(
    columns: Iterable[Column], resource: Resource, mapping: Mapping, *, key_required: bool
) -> Iterable[tuple[str, ...]]:
    """The fields that no column fills. Of several in a tuple one would do."""
    filled = {column.field for column in columns} | mapping.constants.keys()
    if resource.generates_key and filled.intersection(resource.keys):
        return  # its rows may all update records
    if key_required and not filled.intersection(resource.keys):
        yield resource.keys
    for field in resource.fields:
        if field.required and field.id not in filled and field.id not in resource.keys:
            yield (field.id,)


def describe_missing(fields: tuple[str, ...], guesses: dict[str, str]) -> Complaint:
    required = f"Column {' or '.join(f'`{field}`' for field in fields)} is required"
    guess = next((guesses[field] for field in fields if field in guesses), None)
    return Complaint(fields[0], f"{required}. {guess}" if guess else required)


def list_fields(resource: Resource, mapping: Mapping) -> tuple[Column, ...]:
    """The columns of a format without a header: any record may have any member that can be written."""
    writable = (each for each in resource.fields if not each.read_only and each.id not in mapping.constants)
    return tuple(Column(each.id, each.id, index) for index, each in enumerate(writable))
