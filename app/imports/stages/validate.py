"""Turns records as read into rows as stored: each column is converted as a whole, each bad cell becomes a problem.

Work is done column by column, because one list comprehension over 20,000 cells costs a fraction of 20,000 calls.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from operator import itemgetter

from app.formats.records import Batch
from app.imports.checks.columns import (
    NOTHING,
    TEXTS,
    Bad,
    ColumnCheck,
    Kinds,
    column_check,
    converted_all,
    filled,
    surely_converted,
)  # fmt: skip
from app.imports.checks.nested import GivenPaths, GivenPositions
from app.imports.checks.shredded import Shredded
from app.imports.members import Members, member, objects
from app.imports.naming import ABSENT, IdScope, Named, naming_of
from app.imports.plan import Options, Plan
from app.imports.rows import CheckedBatch, Warned
from app.problems import PROBLEMS, Problem, shorten
from app.resources.cells import BadCell, compile_value
from app.resources.paths import flatten
from app.resources.schema import Field, Resource

UNKNOWN = "Member {!r} is no field of the type; it was ignored"
KEPT_AS = {str: "text", bool: "boolean", int: "decimal", Decimal: "decimal"}
BATCH_CELLS = 200_000
BATCH_NAMES = 4_194_304  # characters
NESTED = {"list", "object"}


class RowCheck:
    """All checks of one import, compiled once per slice and then applied to batch after batch."""

    def __init__(self, resource: Resource, plan: Plan, options: Options, *, whose: IdScope, key_limit: int) -> None:
        self._resource = resource
        self._checks = [column_check(resource, column, options) for column in plan.columns]
        self._naming = naming_of(resource, whose, anonymous=options.anonymous)
        self._required = [check for check in self._checks if check.field.required]
        self._known = {column.field for column in plan.columns} | {each.id for each in resource.fields}
        self._unknown = options.unknown_columns or resource.unknown_columns
        self._constants = plan.constants
        self._delimited = plan.dialect.format != "jsonl"
        self._marker = options.null_marker if self._delimited else None
        self._paths = GivenPaths(resource, options) if resource.families and not self._delimited else None
        self._positions = GivenPositions(resource.lists, [column.field for column in plan.columns])
        self._key_limit = key_limit

    @property
    def most_rows(self) -> int:
        """How many rows a batch may have for what it becomes to stay small: names are repeated in every row, and every
        cell may be wrong."""
        width = sum(len(check.prefix) for check in self._checks)
        width += sum(len(name) + len(value) for name, value in self._constants.items())
        return max(1, min(BATCH_CELLS // max(1, len(self._checks)), BATCH_NAMES // max(1, width)))

    @property
    def flat(self) -> bool:
        """Whether no row can hold a list or an object."""
        kept = not self._delimited and self._unknown == "keep"
        nested = any(value[0] in "[{" for value in self._constants.values())
        return not kept and not nested and NESTED.isdisjoint(check.field.type for check in self._checks)

    def check(self, batch: Batch) -> CheckedBatch:
        """The batch's good rows ready to be stored, and a problem for everything that is wrong with the others."""
        surrogate = self._resource.surrogate
        batch, found = (batch, None) if self._paths is None else self._paths.shredded(batch)
        checked = CheckedBatch(batch.start, batch.end, batch.last, called_by=surrogate.source if surrogate else None)
        for record in batch.unreadable:
            raw = shorten(record.raw)
            checked.problems.append(Problem(record.line, record.row, None, None, record.code, record.message, raw))
        checked.failed = len(batch.unreadable)
        if batch.records:
            self._check_records(batch, checked, found)
        checked.problems.sort(key=lambda problem: problem.row)
        return checked

    def _check_records(self, batch: Batch, checked: CheckedBatch, found: Shredded | None) -> None:
        read = self._columns(batch.records, found)
        columns = [cells for cells, _ in read]
        cells_of = {check.field.id: cells for check, cells in zip(self._checks, columns, strict=True)}
        named = self._naming.names(cells_of, batch.rows)
        bad = Bad(batch, named.called, defaultdict(list))
        members = [
            self._members(check, *column, bad) for check, column in zip(self._checks, read, strict=True) if check.stored
        ]
        members += self._other_members(batch, bad, checked, found)
        self._bad_keys(named, bad)
        incomplete = self._incomplete(columns, bad)
        unknown = BadCell("unknown_id", PROBLEMS["unknown_id"])
        for index in named.required:
            incomplete[index].append(bad.problem(index, None, None, unknown, named.keys[index]))
        gaps = self._positions.gaps_in(columns) if found is None else self._positions.gaps_of(found)
        for index, position in gaps:
            incomplete[index].append(bad.problem(index, position.path, position.path, position.gap))
        made = objects(members, self._constants, len(batch.records))
        keep_good(checked, batch, (named.keys, made, incomplete), bad)

    def _columns(self, records: Sequence[object], found: Shredded | None) -> list[tuple[Sequence[object], Kinds]]:
        """The cells of each planned column and their types, whatever the format."""
        if self._delimited:
            everything: list[Sequence[object]] = list(zip(*records, strict=True))
            return [self._seen(check, everything[check.column.index], TEXTS) for check in self._checks]
        if found is not None:
            parts = (found.column(check.column.heading) for check in self._checks)
            return [self._seen(check, each.values, each.kinds) for check, each in zip(self._checks, parts, strict=True)]
        given = [record for record in records if isinstance(record, dict)]
        shapes = [frozenset(shape) for shape in set(map(tuple, given))]
        columns = (members_of(given, check.column.heading, shapes) for check in self._checks)
        return [
            self._seen(check, cells, set(map(type, cells))) for check, cells in zip(self._checks, columns, strict=True)
        ]

    def _seen(self, check: ColumnCheck, cells: Sequence[object], kinds: Kinds) -> tuple[Sequence[object], Kinds]:
        """The cells as the import takes them: none where the null marker stands, nothing where blanks would fill a
        field that has to be filled."""
        if self._marker is not None and self._marker in cells:
            cells, kinds = [ABSENT if cell == self._marker else cell for cell in cells], TEXTS | NOTHING
        if check.field.required and not (kinds == TEXTS and not any(map(str.isspace, cells))):  # type: ignore[arg-type]
            cells = ["" if isinstance(cell, str) and cell.isspace() else cell for cell in cells]
        return cells, kinds

    def _members(self, check: ColumnCheck, cells: Sequence[object], kinds: Kinds, bad: Bad) -> Members:
        """A column as members of JSON objects; a cell may leave its field alone."""
        sure = surely_converted(check, cells, kinds)
        if sure is not None:
            return Members(check.field.id, sure)
        values = converted_all(check, cells, kinds)
        made = set(map(type, values))
        if made == TEXTS and "" not in values:
            return Members(check.field.id, values)  # type: ignore[arg-type]
        if BadCell in made:
            return Members(None, [self._text(check, bad, index, value) for index, value in enumerate(values)])
        prefix, blank = check.prefix, check.blank
        return Members(None, [prefix + value if value else ("" if value == "" else blank) for value in values])  # type: ignore[operator]

    def _text(self, check: ColumnCheck, bad: Bad, index: int, value: str | BadCell | None) -> str:
        if isinstance(value, BadCell):
            record = bad.batch.records[index] if self._paths is None else by_paths(bad.batch.records[index])
            cell = record[check.column.index] if self._delimited else record[check.column.heading]  # type: ignore[index, call-overload]
            if not (isinstance(cell, str) and cell.isspace()):
                bad.add(index, check, value, cell)
                return ""
            value = None
        if value == "":
            return ""
        return check.blank if value is None else check.prefix + value

    def _bad_keys(self, named: Named, bad: Bad) -> None:
        if "" not in named.keys and max(map(len, named.called)) <= self._key_limit:
            return
        names = " or ".join(f"`{name}`" for name in self._resource.keys)
        for index, (key, called) in enumerate(zip(named.keys, named.called, strict=True)):
            if not key:
                bad.add(index, None, BadCell("missing_key", PROBLEMS["missing_key"].format(keys=names)))
            elif len(called) > self._key_limit:
                sizes = {"found": len(called), "limit": self._key_limit}
                bad.add(index, None, BadCell("key_too_long", PROBLEMS["key_too_long"].format(**sizes)), called)

    def _incomplete(self, columns: list[Sequence[object]], bad: Bad) -> dict[int, list[Problem]]:
        """Rows that lack a required value: fine for an update that keeps blanks, a problem for a new record."""
        lacking: defaultdict[int, list[Problem]] = defaultdict(list)
        cells_of = {check.field.id: cells for check, cells in zip(self._checks, columns, strict=True)}
        required = BadCell("required", PROBLEMS["required"])
        for check in self._required:
            cells = cells_of[check.field.id]
            if "" not in cells and set(map(type, cells)) == {str}:  # those of nothing but blanks are empty by now
                continue
            for index in [index for index, cell in enumerate(cells) if not filled(cell)]:
                problem = bad.problem(index, check.column.heading, check.field.id, required)
                lacking[index].append(problem)
                if cells[index] is None or (check.blank and cells[index] is not ABSENT):
                    bad.found[index].append(problem)
        return lacking

    def _other_members(self, batch: Batch, bad: Bad, checked: CheckedBatch, found: Shredded | None) -> list[Members]:
        """Members of JSON records that are no plain field: of inner objects, or not declared by the type at all."""
        if self._delimited:
            return []
        if self._paths is None or found is None:
            kept = [""] * len(batch.records)
            unknown_of: dict[object, list[str]] = {}
            for index, record in enumerate(batch.records):
                shape = tuple(record)
                unknown = unknown_of.get(shape)
                if unknown is None:
                    unknown = unknown_of[shape] = [name for name in record if name not in self._known]
                if unknown:
                    kept[index] = self._unknown_members(record, unknown, index, bad, checked)
            return [Members(None, kept)]
        beside = self._paths.beside(found, self._known)
        for index in sorted(beside.amiss):
            record = by_paths(batch.records[index])
            names = [name for name in record if name not in self._known]
            _, unknown = self._paths.members(record, names, index, bad)
            beside.texts[index] += self._unknown_members(record, unknown, index, bad, checked)
        return [*beside.columns, Members(None, beside.texts)]

    def _unknown_members(
        self, record: object, names: Sequence[str], index: int, bad: Bad, checked: CheckedBatch
    ) -> str:
        """Members that the type does not declare: kept, refused or mentioned once."""
        if self._unknown == "keep":
            return "".join(kept_members(record, names, index, bad, resource=self._resource))
        if self._unknown == "error" and names:
            unknown = BadCell("unknown_column", PROBLEMS["unknown_column"])
            bad.found[index] += [bad.problem(index, shorten(name), None, unknown) for name in names]
        elif self._unknown != "error":
            checked.warnings += [
                Warned("unknown_column", shorten(name), UNKNOWN.format(shorten(name))) for name in names
            ]
        return ""


def members_of(
    records: Sequence[Mapping[str, object]], name: str, shapes: Sequence[frozenset[str]]
) -> Sequence[object]:
    """The member of this name of each; `shapes` are the sets of names that the records have."""
    there = [name in shape for shape in shapes]
    if all(there):
        return list(map(itemgetter(name), records))
    return [record.get(name, ABSENT) for record in records] if any(there) else [ABSENT] * len(records)


def by_paths(record: object) -> Mapping[str, object]:
    """Of a JSON object that can be put so."""
    flat = flatten(record) if isinstance(record, Mapping) else {}
    return {} if isinstance(flat, tuple) else flat


def kept_members(record: object, names: Iterable[str], index: int, bad: Bad, *, resource: Resource) -> Iterable[str]:
    """Members that no field declares, as the JSON type they came with, under the name of where they are kept."""
    for name in names:
        value = record[name]  # type: ignore[index]
        made = "null" if value is None else compile_value(Field(name, KEPT_AS.get(type(value), "object")))(value)
        if isinstance(made, BadCell):
            bad.found[index].append(bad.problem(index, shorten(name), None, made, value))
        else:
            yield member(resource.unknown_field_id(name), made)


def keep_good(
    checked: CheckedBatch, batch: Batch, made: tuple[Sequence[str], list[str], dict[int, list[Problem]]], bad: Bad
) -> None:
    """Moves what has no problem into `checked`, and the problems of the rest."""
    keys, data, incomplete = made
    if not bad.found:
        checked.keys, checked.data, checked.rows, checked.lines = list(keys), data, batch.rows, batch.lines
        checked.incomplete = {index: tuple(problems) for index, problems in incomplete.items()}
        return
    for problems in bad.found.values():
        checked.problems.extend(problems)
    checked.failed += len(bad.found)
    for index, key in enumerate(keys):
        if index in bad.found:
            continue
        if index in incomplete:
            checked.incomplete[len(checked.keys)] = tuple(incomplete[index])
        checked.keys.append(key)
        checked.data.append(data[index])
        checked.rows.append(batch.rows[index])
        checked.lines.append(batch.lines[index])
