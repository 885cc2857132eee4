"""Decides, once per import, which column of the file fills which field, and refuses headers that cannot work."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.errors import Complaint, Refused
from app.imports.plan import Column, Options
from app.imports.rows import REPORT_COLUMNS, Warned
from app.problems import shorten
from app.resources.schema import Field, Resource

Find = Callable[[str], Field | None]

READ_ONLY = "Column {!r} cannot be imported; it was ignored"
UNKNOWN = "Column {!r} is no field of the type; it was ignored"


def map_header(
    header: Sequence[str], resource: Resource, options: Options, find: Find
) -> tuple[tuple[Column, ...], list[Warned]]:
    """The columns to read and what is worth a warning. `find` gives the field that a heading means.

    Raises Refused("invalid") for two columns on one field, a missing key or required column, and (if the import says
    so) an unknown one.
    """
    columns: list[Column] = []
    warnings: list[Warned] = []
    unknown = options.unknown_columns or resource.unknown_columns
    complaints: list[Complaint] = []
    for index, heading in enumerate(header):
        field = find(heading)
        if field is not None and not field.read_only and field.id not in options.constants:
            columns.append(Column(heading, field.id, index))
        elif field is not None:
            warnings.append(Warned("read_only_column", shorten(heading), READ_ONLY.format(shorten(heading))))
        elif heading in REPORT_COLUMNS or not heading:  # a nameless column is one without any data
            continue
        elif unknown == "error":
            complaints.append(Complaint(heading, f"The type {resource.name!r} has no field {heading!r}"))
        elif unknown == "keep":
            columns.append(Column(heading, resource.unknown_field_id(heading), index, known=False))
        else:
            warnings.append(Warned("unknown_column", shorten(heading), UNKNOWN.format(shorten(heading))))
    complaints += [*doubled(columns), *missing(columns, resource, options)]
    if complaints:
        raise Refused("invalid", "The header does not fit the type: " + complaints[0].reason, complaints)
    return tuple(columns), warnings


def finder(resource: Resource, *, caseless: bool, headings: Mapping[str, str] | None) -> Find:
    """How headings are matched: by `headings` (heading in lower case -> field id) where a surface has its own words,
    else by the field's id, letter for letter or without regard to case."""
    if headings is not None:
        return lambda heading: resource.field(headings.get(heading.lower(), ""))
    if not caseless:
        return resource.field
    by_id = {each.id.casefold(): each for each in reversed(resource.fields)}
    return lambda heading: resource.field(heading) or by_id.get(heading.casefold())


def doubled(columns: Sequence[Column]) -> Iterable[Complaint]:
    first: dict[str, Column] = {}
    for column in columns:
        before = first.setdefault(column.field, column)
        if before is not column:
            places = " and ".join(f"{each.heading!r} (column {each.index + 1})" for each in (before, column))
            yield Complaint(column.heading, f"Columns {places} both fill the field {column.field!r}")


def missing(columns: Sequence[Column], resource: Resource, options: Options) -> Iterable[Complaint]:
    there = {column.field for column in columns} | set(options.constants)
    if not there.intersection(resource.keys) and not options.anonymous:
        yield Complaint(resource.keys[0], f"The column {' or '.join(resource.keys)} is required")
    for field in resource.fields:
        if field.required and field.id not in there and field.id not in resource.keys:
            yield Complaint(field.id, f"The column {field.id} is required")


def all_fields(resource: Resource, options: Options) -> tuple[Column, ...]:
    """The columns of a format without a header: any member may be in any record."""
    writable = (each for each in resource.fields if not each.read_only and each.id not in options.constants)
    return tuple(Column(each.id, each.id, index) for index, each in enumerate(writable))
