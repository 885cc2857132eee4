"""Checks a batch of rows: converts every cell and reports everything that is wrong, in one pass.

It works column by column, because one list comprehension over 20,000 cells costs a fraction of 20,000 calls. For each
batch (`RowChecker.check_batch`) these are the steps:

1. Rows that the reader could not read fail with the reader's reason.
2. The other rows are split into the cells of the planned columns: cells of a delimited file, members of JSON objects,
   or values of nested JSON objects by path (columns.py, nested_objects.py). Cells lose the characters that nobody sees
   (cells.py), null markers become absent cells, the conversions of the mapping are applied, and white space in a
   required field becomes an empty cell.
3. The key of each row's record is found or generated (record_keys.py).
4. Each planned column is converted as a whole, in the order of the plan (column_converter.py). A cell that cannot be
   converted becomes a problem here: in `ColumnConverter.write`.
5. Members of JSON objects without a planned column are converted path by path (nested_objects.py). Those that the type
   does not declare are kept, refused or ignored (unknown_members.py).
6. Each row is checked as a whole: it has a key that is not too long, its required fields are filled, and its lists have
   no gaps. A row that updates a record may lack some of this; only merging knows whether a row does.
7. Rows that make records of a type whose keys are generated get their keys, and what they leave out
   (new_records.py).
8. Rows without a problem are put together as JSON objects (json_objects.py). The others are left out. Keys of other
   records are set aside: only merging knows whether there are such records (merging/references.py).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from app.formats.records import Batch
from app.imports.checking.cells import ABSENT, ALL_TEXT, Cells, Cleaning, clean_cells, is_filled
from app.imports.checking.column_converter import ColumnConverter, build_converter, take_apart
from app.imports.checking.columns import ColumnSplitter, DelimitedColumns, ObjectColumns, SplitBatch, pad_unreadable
from app.imports.checking.findings import Findings, keep_good_rows, unreadable_problems
from app.imports.checking.json_objects import MemberColumn, build_objects, split_constants
from app.imports.checking.nested_objects import NestedColumns
from app.imports.checking.new_records import REQUIRED, NewRecords
from app.imports.checking.record_keys import IdScope, RowKeys, build_key_finder
from app.imports.checking.unknown_members import UnknownMembers
from app.imports.plan import Options, Plan
from app.imports.rows import CheckedBatch, ReferenceColumn, UnknownRecord
from app.mappings.conversions import ConvertColumn
from app.problems import Problem
from app.resources.conversion import bad_cell
from app.resources.schema import Resource
from app.resources.sizes import GROWTH, is_longer
from app.runs.summary import RunWarning

BATCH_CELLS = 200_000
BATCH_NAME_CHARACTERS = 4_194_304
NESTED_TYPES = {"list", "object"}
BLANK_ROWS = "Lines of nothing but delimiters and blanks, such as line {}, are not rows and were passed over"


class RowChecker:
    """All checks of one import, compiled once per slice and then applied to batch after batch."""

    def __init__(
        self,
        resource: Resource,
        plan: Plan,
        options: Options,
        *,
        id_scope: IdScope,
        key_limit: int,
        record_limit: int,
        changes: Mapping[str, ConvertColumn] | None = None,
        apart: Collection[str] = (),
    ) -> None:
        """`changes` are conversions of single fields that no mapping can ask for; the values of the fields `apart` are
        handed on beside the records."""
        delimited = plan.dialect.format != "jsonl"
        self._resource = resource
        self.named_types = resource.named_types
        self._deletes = options.deletes
        self._unknown = build_unknown_record(resource, plan) if resource.made_field else None
        self._constants, self._constant_references = split_constants(resource, plan.constants)
        planned = {column.field for column in plan.columns}
        makes_keys = resource.generates_key and not options.deletes
        self._new_records = NewRecords(resource, planned, plan.constants) if makes_keys else None
        self._splitter = build_splitter(resource, plan, options)
        self._converters = build_converters(resource, plan, options, changes or {})
        self._apart = frozenset(apart)
        self._key_finder = build_key_finder(resource, id_scope, anonymous=options.anonymous, makes_keys=makes_keys)
        self._delimited = delimited
        self._neutralized = delimited and plan.mapping.is_native
        self._keeps_unknown = not delimited and (options.unknown_columns or resource.unknown_columns) == "keep"
        self._tells_failed_keys = options.replace
        self._delimiter = plan.dialect.delimiter
        self._width = 1 + max((column.index for column in plan.columns), default=0)
        self._key_limit = key_limit  # characters
        self._record_limit = record_limit  # bytes, as JSON

    @property
    def max_rows(self) -> int:
        """How many rows a batch may have so that its records and problems stay small in memory: every record repeats
        the names of its fields, and every cell may be bad."""
        width = sum(len(converter.prefix) for converter in self._converters)
        width += sum(len(name) + len(value) for name, value in self._constants.items())
        by_cells = BATCH_CELLS // max(1, len(self._converters))
        return max(1, min(by_cells, BATCH_NAME_CHARACTERS // max(1, width)))

    @property
    def is_flat(self) -> bool:
        """Whether no record can hold a list or an object."""
        nested_constant = any(value[0] in "[{" for value in self._constants.values())
        types = {converter.field.type for converter in self._converters}
        return not self._keeps_unknown and not nested_constant and NESTED_TYPES.isdisjoint(types)

    def check_batch(self, batch: Batch) -> CheckedBatch:
        """The good rows of the batch as records to be merged, and a problem for everything that is wrong with the
        others. Never raises for what is in the file. Blocking: 1.5 µs per row of a delimited file with 7 to 11 columns,
        3 µs per row of nested JSON Lines."""
        split = self._splitter.split(batch)
        surrogate = self._resource.surrogate
        checked = CheckedBatch(
            batch.start,
            batch.end,
            batch.last,
            unknown=self._unknown,
            caller_key_field=surrogate.source if surrogate else None,
            generates_key=self._new_records is not None,
        )
        checked.problems = unreadable_problems(split.batch)
        checked.failed = len(checked.problems)
        if batch.blank_rows:
            message = BLANK_ROWS.format(batch.blank_line)
            checked.warnings.append(RunWarning("blank_rows", "", message, count=batch.blank_rows))
        if split.batch.records:
            self._check_rows(split, checked)
        if self._tells_failed_keys and self._delimited and split.batch.unreadable:
            _, keys = self.find_keys(pad_unreadable(split.batch, self._width, self._delimiter))
            checked.failed_keys += keys.list_usable(self._key_limit, range(len(keys.keys)))
        checked.problems.sort(key=lambda problem: problem.row)
        return checked

    def find_keys(self, batch: Batch) -> tuple[Sequence[int], RowKeys]:
        """The keys of rows of which nothing else is asked, and which rows these are: those that can be split."""
        split = self._splitter.split(batch)
        pairs = zip(self._converters, self._clean(split), strict=True)
        cells = {converter.field.id: converter.prepare(cleaned).values for converter, (cleaned, _) in pairs}
        return split.batch.rows, self._key_finder.find_keys(cells, split.batch.rows)

    def _clean(self, split: SplitBatch) -> list[tuple[Cells, Sequence[Cleaning]]]:
        """The cells of each planned column without what nobody sees, and what was cleaned."""
        return [
            clean_cells(
                cells,
                converter.clean,
                formulas=self._delimited,
                neutralized=self._neutralized,
                items=converter.field.type == "list",
            )
            for converter, cells in zip(self._converters, split.columns, strict=True)
        ]

    def _check_rows(self, split: SplitBatch, checked: CheckedBatch) -> None:
        """Steps 2 to 8, for the rows that could be read."""
        cleaned = self._clean(split)
        split.columns = [
            converter.prepare(cells) for converter, (cells, _) in zip(self._converters, cleaned, strict=True)
        ]
        columns = list(zip(self._converters, split.columns, (cells for cells, _ in cleaned), strict=True))
        cells_by_field = {converter.field.id: cells.values for converter, cells, _ in columns}
        keys = self._key_finder.find_keys(cells_by_field, split.batch.rows)
        findings = Findings(split.batch, keys.caller_keys)
        for converter, (_, cleanings) in zip(self._converters, cleaned, strict=True):
            findings.warn_cleaned(converter.column.heading, cleanings)

        converted = [converter.convert_members(cells, sent, findings) for converter, cells, sent in columns]
        references = self._take_references(converted, len(split.batch.records))
        checked.apart = take_apart(self._converters, converted, self._apart)
        others = [] if self._deletes else self._splitter.other_members(split, findings)
        stored = zip(self._converters, converted, strict=True)
        members = [column for converter, column in stored if converter.stored] + others

        if self._new_records is not None:
            new, by_field = keys.find_new(), dict(zip(cells_by_field, converted, strict=True))
            self._new_records.check(cells_by_field, others, new, findings)
            members += self._new_records.complete(cells_by_field, by_field, keys, new)
        self._check_keys(keys, findings)
        incomplete = self._find_incomplete_rows(split, findings)

        data = build_objects(members, self._constants, len(split.batch.records))
        self._check_sizes(data, findings)
        checked.references = references
        if self._tells_failed_keys:
            checked.failed_keys += keys.list_usable(self._key_limit, findings.problems)
        keep_good_rows(checked, split.batch, findings, keys=keys, data=data, incomplete=incomplete)
        if self._deletes:  # a record that is not there does not have to be removed
            checked.incomplete, checked.must_exist = {}, set()

    def _take_references(self, converted: list[MemberColumn], count: int) -> list[ReferenceColumn]:
        """Takes the keys of other records out of the converted columns of `count` rows."""
        references = [
            ReferenceColumn(field.id, None, self._resource.type_named_in(field), [value] * count, field.alias_of)
            for field, value in self._constant_references
        ]
        for index, converter in enumerate(self._converters):
            if converter.names_type:
                converted[index], column = converter.take_references(converted[index])
                references.append(column)
        return references

    def _check_keys(self, keys: RowKeys, findings: Findings) -> None:
        if "" not in keys.keys and max(map(len, keys.caller_keys)) <= self._key_limit:
            return
        missing = bad_cell("missing_key", keys=" or ".join(f"`{name}`" for name in self._resource.keys))
        for index, (key, caller_key) in enumerate(zip(keys.keys, keys.caller_keys, strict=True)):
            if not key:
                findings.add(index, missing)
            elif len(caller_key) > self._key_limit:
                too_long = bad_cell("key_too_long", found=len(caller_key), limit=self._key_limit)
                findings.add(index, too_long, value=caller_key)

    def _check_sizes(self, data: Sequence[str], findings: Findings) -> None:
        limit = self._record_limit
        if max(map(len, data)) * GROWTH <= limit:
            return
        too_large = bad_cell("record_too_large", limit=limit)
        for index, text in enumerate(data):
            if is_longer(text, limit) and index not in findings.problems:
                findings.add(index, too_large)

    def _find_incomplete_rows(self, split: SplitBatch, findings: Findings) -> Mapping[int, Sequence[Problem]]:
        """What keeps a row from creating a record, by its index: a required field that is not filled, a gap in a list.
        It is no problem of a row that updates a record, unless the row would clear a required field: that fails
        here."""
        incomplete: defaultdict[int, list[Problem]] = defaultdict(list)
        for converter, cells in zip(self._converters, split.columns, strict=True):
            if converter.field.required:
                self._find_missing_values(converter, cells, incomplete, findings)
        for index, position in self._splitter.find_gaps(split):
            problem = findings.build_problem(index, position.gap, column=position.path, field=position.path)
            incomplete[index].append(problem)
        return incomplete

    def _find_missing_values(
        self,
        converter: ColumnConverter,
        cells: Cells,
        incomplete: defaultdict[int, list[Problem]],
        findings: Findings,
    ) -> None:
        values = cells.values
        if "" not in values and set(map(type, values)) == ALL_TEXT:  # blanks are empty texts by now
            return
        column, field = converter.column.heading, converter.field.id
        for index in [index for index, value in enumerate(values) if not is_filled(value)]:
            problem = findings.build_problem(index, REQUIRED, column=column, field=field)
            incomplete[index].append(problem)
            if values[index] is None or (converter.blank and values[index] is not ABSENT):
                findings.problems[index].append(problem)


def build_converters(
    resource: Resource, plan: Plan, options: Options, changes: Mapping[str, ConvertColumn]
) -> list[ColumnConverter]:
    delimited, workbook = plan.dialect.format != "jsonl", plan.dialect.workbook
    return [
        build_converter(
            resource, column, options, delimited=delimited, workbook=workbook, change=changes.get(column.field)
        )
        for column in plan.columns
    ]


def build_splitter(resource: Resource, plan: Plan, options: Options) -> ColumnSplitter:
    """The splitter of the plan's format, and of nested records for JSON Lines of a type with families."""
    if plan.dialect.format != "jsonl":
        return DelimitedColumns(plan.columns, resource.lists)
    mapped = plan.mapping.is_native  # then only the members that it names are known
    known: Collection[str] = {column.field for column in plan.columns} | {field.id for field in resource.fields}
    if mapped:
        known = {column.heading for column in plan.mapping.columns}
    unknown_members = UnknownMembers(resource, options.unknown_columns or resource.unknown_columns, mapped=mapped)
    if not resource.families:
        return ObjectColumns(plan.columns, known, unknown_members)
    return NestedColumns(resource, plan.columns, options, known=known, unknown_members=unknown_members, mapped=mapped)


def build_unknown_record(resource: Resource, plan: Plan) -> UnknownRecord:
    if not resource.generates_key:  # Voucherify, whose words for this name no column
        return UnknownRecord("unknown_id", resource.made_field)
    headings = [column.heading for column in plan.columns if column.field == resource.made_field]
    return UnknownRecord("unknown_key", resource.made_field, next(iter(headings), None))
