"""Finds, once per run, the field that each column of a file fills, and refuses headers that cannot work."""

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from app.errors import Complaint, Refused, describe
from app.formats.characters import spell_heading
from app.formats.detection.report_header import find_report, find_results
from app.formats.header import name_position
from app.mappings.headings import ColumnFinder, FoundField, How, find_absent, list_headings
from app.mappings.hints.headings import mean_column
from app.mappings.mapping import Conversions, MappedColumn, Mapping
from app.mappings.nearest import NearestName
from app.resources.schema import Resource, UnknownColumns

MOST_DESCRIBED: Final = 10  # mistakes in the text of a refusal; its complaints list them all
NAMED_FIELDS: Final = 10  # of the type, for somebody who sent none of them
NAMED_COLUMNS: Final = 20  # that a file lacks, or has and should not


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file and the field that it fills. `index` is its position in the header, from 0."""

    heading: str
    field: str
    index: int
    known: bool = True  # False: the type does not declare it, and it is kept as text
    found: How | None = None  # None: by nothing, because it is kept as it is
    conversions: Conversions = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WarnedColumn:
    """A column that is not read, or not there, and the code of the warning about it."""

    heading: str
    code: Literal["read_only_column", "unknown_column", "missing_column"]
    meant: str = ""  # what was probably meant by a heading that is not known
    field: str = ""  # that this would fill


@dataclass(frozen=True, slots=True)
class FoundColumns:
    """The columns to read, and those to warn about. `ignored` are the indexes of columns that are left out on purpose;
    whatever is in neither is unknown."""

    columns: tuple[Column, ...]
    warned: tuple[WarnedColumn, ...] = ()
    ignored: tuple[int, ...] = ()


def find_columns(
    header: Sequence[str],
    resource: Resource,
    mapping: Mapping,
    *,
    unknown: UnknownColumns | None = None,
    key_required: bool = True,
) -> FoundColumns:
    """What each column fills. `unknown` says what happens to a column without a field; None means whatever the type
    declares. The columns of an earlier report are passed over in silence, and so are columns without a heading, which
    hold no data (`refuse_data_without_heading`).

    Raises Refused("invalid") for two columns with one field, a missing key or required column, a header of which
    nothing is known, and, with `unknown` "error", for an unknown column. It lists every mistake.
    """
    finder = ColumnFinder(mapping, resource)
    report, results = find_report(header), find_results(header)
    every = [None if index in results else finder.find(heading, index) for index, heading in enumerate(header)]
    sorted_ = SortedColumns(mapping)
    for index, (heading, found) in enumerate(zip(header, every, strict=True)):
        sorted_.add(index, heading, found, silent=index in report or not heading)
    complaints = sorted_.settle_strays(resource, unknown or resource.unknown_columns)
    columns = sorted_.in_order
    complaints += find_doubles(columns)
    complaints += complain_of_missing(header, columns, resource, mapping, key_required=key_required)
    absent = find_absent(mapping, every) if mapping.is_native else []
    if complaints:
        complaints += describe_differences(absent, list(sorted_.strays.values()))
        raise Refused("invalid", describe(complaints[:MOST_DESCRIBED]), complaints)
    missing = [WarnedColumn(column.name, "missing_column") for column in absent]
    filled = {column.field for column in columns} | {""}
    warned = [
        replace(each, meant="", field="") if each.field in filled else each
        for _, each in sorted(sorted_.warned.items())
    ]
    return FoundColumns(columns, (*warned, *missing), tuple(sorted_.ignored))


class SortedColumns:
    """The columns of a file by what becomes of them; each by its index in the header."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self.columns: dict[int, Column] = {}
        self.warned: dict[int, WarnedColumn] = {}
        self.ignored: list[int] = []
        self.strays: dict[int, str] = {}  # the headings of which nobody says what they fill

    @property
    def in_order(self) -> tuple[Column, ...]:
        return tuple(column for _, column in sorted(self.columns.items()))

    def add(self, index: int, heading: str, found: FoundField | None, *, silent: bool) -> None:
        if found is None:
            if silent:
                self.ignored.append(index)
            else:
                self.strays[index] = heading
            return
        if found.field is None:
            self.ignored.append(index)
        elif found.field.read_only or found.field.id in self._mapping.constants:
            self.ignored.append(index)
            self.warned[index] = WarnedColumn(heading, "read_only_column")
        else:
            name = heading or name_position(index)
            self.columns[index] = Column(name, found.field.id, index, found=found.how, conversions=found.conversions)

    def settle_strays(self, resource: Resource, unknown: UnknownColumns) -> list[Complaint]:
        """Keeps or ignores them, or says why they cannot be."""
        names = list_headings(self._mapping, resource)
        nearest = NearestName(names)
        complaints = []
        for index, heading in self.strays.items():
            kept = resource.unknown_field_id(heading)
            if unknown == "ignore":
                meant = nearest.find(heading) or ""
                self.warned[index] = WarnedColumn(heading, "unknown_column", meant, names.get(meant, ""))
            elif unknown == "error" or not resource.has_room_for(heading) or resource.field(kept) is not None:
                complaints.append(describe_unknown(heading, resource, self._mapping, unknown, nearest))
            else:
                self.columns[index] = Column(heading, kept, index, known=False)
        return complaints


def describe_differences(absent: Sequence[MappedColumn], strays: Sequence[str]) -> Iterable[Complaint]:
    """In what the file differs from the mapping, if it lacks a column that the mapping names."""
    if not absent:
        return
    lacks = f"The file lacks {join_names(column.name for column in absent)}, which the mapping names"
    has = f", and has {join_names(strays)}, which it does not" if strays else ""
    yield Complaint("file", lacks + has)


def join_names(names: Iterable[str]) -> str:
    listed = [f"`{spell_heading(name)}`" for name in names]
    more = len(listed) - NAMED_COLUMNS
    return ", ".join(listed[:NAMED_COLUMNS]) + (f" and {more:,} more" if more > 0 else "")


def describe_unknown(
    heading: str, resource: Resource, mapping: Mapping, unknown: UnknownColumns, nearest: NearestName
) -> Complaint:
    lacks = "The mapping has no column" if mapping.is_native else f"The type `{resource.name}` has no field"
    why = ", and it cannot be kept beside the declared fields around it" if unknown == "keep" else ""
    reason = f"{lacks} `{spell_heading(heading)}`{why}"
    meant = nearest.find(heading)
    if not meant:
        return Complaint(heading, reason)
    fix = mean_column(heading, list_headings(mapping, resource)[meant])
    return Complaint(heading, f"{reason}. Did you mean `{meant}`?", fix)


def complain_of_missing(
    header: Sequence[str], columns: Sequence[Column], resource: Resource, mapping: Mapping, *, key_required: bool
) -> Iterable[Complaint]:
    key_required = key_required and not resource.generates_key
    names = list_headings(mapping, resource)
    known = {column.heading for column in columns if column.known}
    missing = list(find_missing(columns, resource, mapping, key_required=key_required))
    strays = [heading for heading in header if heading and heading not in known] if missing else []
    guesses = guess_fields(strays, names)
    yield from (describe_missing(fields, guesses, mapping) for fields in missing)
    if not key_required and not known:
        yield describe_nothing_known(resource, names)


def describe_nothing_known(resource: Resource, names: Collection[str]) -> Complaint:
    listed = ", ".join(f"`{name}`" for name in list(names)[:NAMED_FIELDS])
    more = ", and so on" if len(names) > NAMED_FIELDS else ""
    return Complaint("file", f"No column of the file is a field of `{resource.name}`. It may have {listed}{more}")


def guess_fields(strays: Iterable[str], names: dict[str, str]) -> dict[str, Complaint]:
    """For fields of which an unknown heading looks like the name: the question whether it was meant."""
    nearest = NearestName(names)
    found = [(name, heading) for heading in strays if (name := nearest.find(heading))]
    # Of several headings that look like one name the first counts.
    asked = [
        (
            names[name],
            Complaint(
                heading,
                f"Did you mean `{name}` instead of `{spell_heading(heading)}`?",
                mean_column(heading, names[name]),
            ),
        )
        for name, heading in found
    ]
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


def describe_missing(fields: tuple[str, ...], guesses: dict[str, Complaint], mapping: Mapping) -> Complaint:
    required = require_column(fields, mapping)
    guess = next((guesses[field] for field in fields if field in guesses), None)
    return Complaint(fields[0], f"{required}. {guess.reason}", guess.fix) if guess else Complaint(fields[0], required)


def require_column(fields: tuple[str, ...], mapping: Mapping) -> str:
    """A caller's mapping has headings of its own for the fields, or none."""
    names = " or ".join(f"`{field}`" for field in fields)
    if not mapping.is_native:
        return f"Column {names} is required"
    headings = " or ".join(f"`{column.name}`" for column in mapping.columns if column.field in fields)
    if headings:
        return f"Column {headings} is required, because it fills {names}"
    return f"The mapping must have a column that fills {names}"


def list_fields(resource: Resource, mapping: Mapping) -> tuple[Column, ...]:
    """The columns of a format without a header: any record may have any member that can be written, or that a mapping
    names. Raises Refused("invalid") for a mapping by position, and for one that fills no key."""
    if mapping.is_native:
        return list_members(resource, mapping)
    writable = (each for each in resource.fields if not each.read_only and each.id not in mapping.constants)
    return tuple(Column(each.id, each.id, index, found="exact") for index, each in enumerate(writable))


def list_members(resource: Resource, mapping: Mapping) -> tuple[Column, ...]:
    found = SortedColumns(mapping)
    finder = ColumnFinder(mapping, resource)
    for index, column in enumerate(mapping.columns):
        found.add(index, column.heading, finder.find_heading(column.heading), silent=False)
    complaints = [
        Complaint("columns", f"JSON Lines have no {column.name}: name its member with `column`")
        for column in mapping.columns
        if column.position is not None
    ]
    if not complaints:
        complaints += complain_of_missing((), found.in_order, resource, mapping, key_required=True)
    if complaints:
        raise Refused("invalid", describe(complaints[:MOST_DESCRIBED]), complaints)
    return found.in_order
