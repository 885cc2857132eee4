"""Reads the beginning of a file as an import would, and proposes how to map it, with the problems that are left."""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, Final

from app.formats import open_reader
from app.formats.records import Batch, Dialect, Limits, Reader
from app.imports.checking.findings import build_hints
from app.imports.checking.record_keys import IdScope
from app.imports.checking.row_checker import RowChecker
from app.imports.examine import refuse_foreign
from app.imports.plan import Options, Plan, ReadOptions
from app.imports.sources.head import FileHead
from app.imports.stored_values import StoredValue, show_stored
from app.mappings.columns import Column, find_missing, list_fields
from app.mappings.declaring.fitting import fit_requested
from app.mappings.headings import ColumnFinder
from app.mappings.mapping import Conversions, Mapping
from app.mappings.suggesting.field_names import EXACT, KnownName
from app.mappings.suggesting.guesses import guess_conversions
from app.mappings.suggesting.proposals import ColumnCells, Proposal, propose_fields
from app.problems import Problem, shorten
from app.resources.field_types import BadCell, compile_cell
from app.resources.schema import Field, Resource
from app.runs.summary import add_problems, told_groups

MOST_ROWS: Final = 1_000  # are read and checked
MOST_MEMBERS: Final = 2_000  # of JSON Lines, as many as a delimited file may have columns
SAMPLES: Final = 3  # values of each column
NO_MAPPING: Final = Mapping()
BY_TEMPLATE: Final = "The mapping template says so"
# What nobody calls a column. A number may be a year.
VALUES: Final = tuple(compile_cell(Field("", name)) for name in ("email", "url", "date"))
ANYBODY: Final = IdScope(0, seed="0" * 24)
KEY_CHARACTERS: Final = 255  # as long as SLUICE_MAX_KEY_CHARACTERS is not set


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """A column of the file, what it probably means, how its cells have to be converted, and what would become of its
    first values that differ, if it fills a field."""

    column: ColumnCells
    proposal: Proposal | None
    conversions: Conversions
    stored: Sequence[StoredValue] = ()

    @property
    def first_values(self) -> list[str]:
        return list(dict.fromkeys(self.column.values))[:SAMPLES]

    @property
    def samples(self) -> list[str]:
        return [shorten(value) for value in self.first_values]

    @property
    def planned(self) -> Column | None:
        """The column of an import; None if it fills no field."""
        if self.proposal is None:
            return None
        field = self.proposal.field
        return Column(self.column.heading, field.id, self.column.index, conversions=self.conversions)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the beginning of a file shows. `missing` are the required fields that no column fills; of several in a tuple
    one would do. `rows` were read, and unless there is no key `checked`. `problems` are groups as an import has
    them."""

    dialect: Dialect
    whole: bool  # whether that is the whole file
    columns: list[PreviewColumn]
    missing: list[tuple[str, ...]]
    rows: int
    checked: bool
    failed: int
    problems: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of a file as it is read: at most MOST_ROWS rows of it."""

    dialect: Dialect
    reader: Reader
    batch: Batch
    limits: Limits
    whole: bool  # whether that is the whole file

    @property
    def is_delimited(self) -> bool:
        return self.dialect.format == "csv"

    @property
    def cells(self) -> list[ColumnCells]:
        return list_cells(self.reader, self.batch)


def preview_file(
    head: FileHead,
    resource: Resource,
    read: ReadOptions,
    *,
    limits: Limits,
    key_limit: int = KEY_CHARACTERS,
    mapping: Mapping = NO_MAPPING,
) -> Preview:
    """Reads and checks at most MOST_ROWS rows. What `mapping` says of a column counts. Blocking: up to a second for a
    file of 2,000 columns.

    Raises Refused: empty_file, unreadable_file, invalid (header, options, a mapping that does not fit the type).
    """
    mapping = fit_requested(mapping, resource)
    beginning = read_beginning(head, resource, read, limits, mapping)
    columns = propose_columns(beginning.cells, resource, mapping, named=beginning.is_delimited)
    return preview_columns(beginning, columns, resource, mapping, key_limit=key_limit)


def read_beginning(
    head: FileHead, resource: Resource, read: ReadOptions, limits: Limits, mapping: Mapping, *, told: bool = False
) -> Beginning:
    """`told`: the mapping says whether the file has a header, and nobody has to guess. Raises Refused: empty_file,
    unreadable_file, invalid (header, options)."""
    dialect, reader = open_head(head, resource, read, limits, mapping, told=told)
    batch = reader.read(reader.first, max_rows=MOST_ROWS, max_bytes=max(1, len(head.data)))
    return Beginning(dialect, reader, batch, limits, whole=head.whole)


def preview_columns(
    beginning: Beginning,
    columns: Sequence[PreviewColumn],
    resource: Resource,
    mapping: Mapping,
    *,
    key_limit: int = KEY_CHARACTERS,
) -> Preview:
    """What comes of the rows if the columns become what is proposed for them; of several that fill one field the first
    counts. `mapping` says what else every record gets. Blocking."""
    batch, reader, limits = beginning.batch, beginning.reader, beginning.limits
    columns = [show_column(each, batch, resource, beginning.dialect) for each in columns]
    by_field = {each.planned.field: each.planned for each in reversed(columns) if each.planned}
    planned = tuple(sorted(by_field.values(), key=lambda each: each.index))
    missing = list(find_missing(planned, resource, mapping, key_required=not resource.generates_key))
    problems: list[Problem] = []
    groups: list[dict[str, Any]] = []
    if checked := resource.keys not in missing:
        planned = planned if reader.header or mapping.is_native else list_fields(resource, Mapping())
        plan = Plan(beginning.dialect, reader.header, planned, constants=mapping.constants)
        problems = check_rows(plan, resource, batch, limits, key_limit)
        groups = sum_up(problems, resource, plan)
    failed = len({problem.row for problem in problems})
    return Preview(beginning.dialect, beginning.whole, columns, missing, batch.end.row, checked, failed, groups)


def open_head(
    head: FileHead, resource: Resource, read: ReadOptions, limits: Limits, mapping: Mapping, *, told: bool
) -> tuple[Dialect, Reader]:
    """The head in the dialect that is found, and without a header if its first row is data."""
    dialect = replace(head.find_dialect(read.format, read.delimiter), has_header=mapping.has_header)
    refuse_foreign(head.data, dialect, read)
    reader = open_reader(io.BytesIO(head.data), dialect, limits)
    if told or mapping.columns or not reader.header or not is_data(reader.header, resource):
        return dialect, reader
    dialect = replace(dialect, has_header=False)
    return dialect, open_reader(io.BytesIO(head.data), dialect, limits)


def is_data(header: Sequence[str], resource: Resource) -> bool:
    """Whether the first row has no name of a field, and has a value that is nobody's name."""
    named = propose_fields([ColumnCells(heading, index) for index, heading in enumerate(header)], resource)
    return not named and has_values(header)


def has_values(header: Sequence[str]) -> bool:
    """Whether the first row has a value that is nobody's name for a column."""
    return any(not isinstance(convert(heading), BadCell) for heading in header for convert in VALUES)


def propose_columns(
    cells: Sequence[ColumnCells], resource: Resource, mapping: Mapping, *, named: bool
) -> list[PreviewColumn]:
    """What each column means: by the mapping, and else by what it looks like. Unless columns are `named`, they have the
    names of their fields, or mean nothing."""
    finder = ColumnFinder(mapping, resource)
    found = {each.index: finder.find(each.heading, each.index) for each in cells} if mapping.columns else {}
    told = {index: each for index, each in found.items() if each is not None}
    settled = {index: each.field.id if each.field else "" for index, each in told.items()}
    proposals = propose_fields(cells, resource, settled)
    columns = []
    for each in cells:
        proposal = proposals.get(each.index)
        if each.index in told:
            field = told[each.index].field
            proposal = Proposal(each, KnownName(field, "template", EXACT, BY_TEMPLATE)) if field else None
            columns.append(PreviewColumn(each, proposal, told[each.index].conversions))
        elif proposal is None or not (named or proposal.name.reason == "exact"):
            columns.append(PreviewColumn(each, None, {}))
        else:
            guessed = guess_conversions(proposal.field, each.values) if named else {}
            columns.append(PreviewColumn(each, proposal, guessed))
    return columns


def show_column(column: PreviewColumn, batch: Batch, resource: Resource, dialect: Dialect) -> PreviewColumn:
    """The column with what would become of its first values, if it fills a field."""
    if column.planned is None:
        return column
    values: list[object] = [*column.first_values]
    delimited, workbook = dialect.format == "csv", dialect.workbook
    if not delimited:  # a member may be no text
        name = column.column.heading
        records = [record for record in batch.records if isinstance(record, dict)]
        sent = {show_member(record.get(name)): record.get(name) for record in records}
        values = [sent[text] for text in column.first_values]
    stored = show_stored(values, column.planned, resource, Options(), delimited=delimited, workbook=workbook)
    return replace(column, stored=stored)


def list_cells(reader: Reader, batch: Batch) -> list[ColumnCells]:
    """The columns of a delimited file; of JSON Lines the members that the first rows have."""
    if reader.header:
        columns = zip(*batch.records, strict=True) if batch.records else [()] * len(reader.header)
        return [
            ColumnCells(heading, index, cells)
            for index, (heading, cells) in enumerate(zip(reader.header, columns, strict=True))
        ]
    records = [record for record in batch.records if isinstance(record, dict)]
    members = islice(dict.fromkeys(member for record in records for member in record), MOST_MEMBERS)
    return [
        ColumnCells(member, index, [show_member(record.get(member)) for record in records])
        for index, member in enumerate(members)
    ]


def show_member(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def check_rows(plan: Plan, resource: Resource, batch: Batch, limits: Limits, key_limit: int) -> list[Problem]:
    """What an import would find wrong with these rows, if no record existed but those that they name by an id which
    this service makes."""
    checker = RowChecker(
        resource, plan, Options(), id_scope=ANYBODY, key_limit=key_limit, record_limit=limits.record_bytes
    )
    checked = checker.check_batch(batch)
    incomplete = [problems for index, problems in checked.incomplete.items() if index not in checked.must_exist]
    return sorted([*checked.problems, *chain.from_iterable(incomplete)], key=lambda problem: problem.row)


def sum_up(problems: Iterable[Problem], resource: Resource, plan: Plan) -> list[dict[str, Any]]:
    """Groups as an import has them, with their hints."""
    summary: list[dict[str, Any]] = []
    add_problems(summary, problems)
    build_hints(resource, plan).give(summary)
    return told_groups(summary)
