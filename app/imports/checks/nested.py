"""Records of a nested type: a JSON object by the paths in it, and lists whose positions follow each other."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from app.formats.records import Batch, UnreadableRow
from app.imports.checks.columns import (
    TEXTS,
    Bad,
    ColumnCheck,
    column_check,
    converted,
    converted_all,
    surely_converted,
)  # fmt: skip
from app.imports.checks.shredded import Part, Shredded, refused, shredded
from app.imports.members import Members
from app.imports.naming import ABSENT
from app.imports.plan import Options
from app.mappings.columns import Column
from app.problems import RowError
from app.resources.cells import BadCell
from app.resources.conversion import bad_cell, type_error
from app.resources.schema import Resource

NOT_NESTED = type_error("The value must be an object or a list")
EMPTY = {dict, list}  # with anything in them, their members would stand at paths of their own
CHECKS = 4_096  # compiled at a time; a hostile file may name other paths in every row


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a list: `variants`, 2."""

    list: str
    number: int

    @property
    def path(self) -> str:
        return f"{self.list}.{self.number}"

    @property
    def before(self) -> "Position":
        return Position(self.list, self.number - 1)

    @property
    def gap(self) -> BadCell:
        return bad_cell("position_gap", list=self.list, position=self.number, previous=self.number - 1)


@dataclass(slots=True)
class Beside:
    """What a batch's objects hold beside the plain fields: whole columns, then texts for single rows (a comma before
    each member), and the rows in which something is amiss, for `GivenPaths.members` to say what."""

    columns: list[Members]
    texts: list[str]
    amiss: set[int]


class GivenPaths:
    """What JSON objects hold beside a type's plain fields: path by path, and row by row where something is amiss."""

    def __init__(self, resource: Resource, options: Options) -> None:
        self._resource = resource
        self._options = options
        self._check = lru_cache(CHECKS)(self._compiled)
        self._is_outer = resource.outer.fullmatch

    def shredded(self, batch: Batch) -> tuple[Batch, Shredded]:
        """The batch's objects by paths; those that cannot be put so are unreadable."""
        records = [record for record in batch.records if isinstance(record, dict)]
        found = shredded(records)
        verdicts = refused(found, records)
        if verdicts:
            batch = _without(batch, verdicts)
            found = shredded([record for record in batch.records if isinstance(record, dict)])
        return batch, found

    def beside(self, found: Shredded, known: Collection[str]) -> Beside:
        """All members but those of `known` names."""
        beside = Beside([], [""] * found.count, set())
        for path, parts in found.parts.items():
            if path in known:
                continue
            check = self._check(path)
            if check is not None:
                for part in parts:
                    self._take(beside, check, part)
                continue
            outer = self._is_outer(path)
            for rows, values, _ in parts:
                # An empty object or list where others have members says nothing.
                beside.amiss.update(
                    row
                    for row, value in zip(rows, values, strict=True)
                    if not (outer and isinstance(value, dict | list))
                )
        return beside

    def _take(self, beside: Beside, check: ColumnCheck, part: Part) -> None:
        rows, values, kinds = part
        sure = surely_converted(check, values, kinds) if len(rows) == len(beside.texts) else None
        if sure is not None:
            beside.columns.append(Members(check.field.id, sure))
            return
        made = converted_all(check, values, kinds)
        if len(rows) == len(beside.texts) and set(map(type, made)) == TEXTS and "" not in made and not kinds & EMPTY:
            beside.columns.append(Members(check.field.id, made))  # type: ignore[arg-type]
            return
        for row, value, text in zip(rows, values, made, strict=True):
            if isinstance(value, dict | list):
                continue
            if isinstance(text, BadCell) and not (isinstance(value, str) and value.isspace()):
                beside.amiss.add(row)
            elif isinstance(text, str):
                beside.texts[row] += text and check.prefix + text
            else:
                beside.texts[row] += check.blank

    def members(
        self, record: Mapping[str, object], names: Sequence[str], index: int, bad: Bad
    ) -> tuple[str, list[str]]:
        """The members of these names as they are stored, and the names that the type does not know."""
        written: list[str] = []
        unknown: list[str] = []
        for name in names:
            check, value = self._check(name), record[name]
            empty = isinstance(value, dict | list)  # with anything in it, its members would stand here
            if check is not None:
                written.append("" if empty else _written(check, value, index, bad))
            elif not self._is_outer(name):
                unknown.append(name)
            elif not empty:
                bad.found[index].append(bad.problem(index, name, name, NOT_NESTED, value))
        return "".join(written), unknown

    def _compiled(self, path: str) -> ColumnCheck | None:
        field = self._resource.field(path)
        return None if field is None else column_check(self._resource, Column(path, path, 0), self._options)


def _without(batch: Batch, verdicts: Mapping[int, RowError]) -> Batch:
    good = [index for index in range(len(batch.records)) if index not in verdicts]
    unreadable = [
        UnreadableRow(batch.rows[index], batch.lines[index], *verdict, (), "") for index, verdict in verdicts.items()
    ]
    return replace(
        batch,
        records=[batch.records[index] for index in good],
        rows=[batch.rows[index] for index in good],
        lines=[batch.lines[index] for index in good],
        unreadable=[*batch.unreadable, *unreadable],
    )


def _written(check: ColumnCheck, value: object, index: int, bad: Bad) -> str:
    made = converted(check, value)
    if isinstance(made, BadCell):
        if not (isinstance(value, str) and value.isspace()):
            bad.add(index, check, made, value)
            return ""
        made = None
    return check.blank if made is None else check.prefix + made


class GivenPositions:
    """Which positions of lists a row fills."""

    def __init__(self, lists: Sequence[str], fields: Sequence[str]) -> None:
        self._match = re.compile(rf"({'|'.join(map(re.escape, lists))})\.([0-9]+)(?:\.|$)").match if lists else None
        self._columns: dict[Position, list[int]] = {}
        for index, field in enumerate(fields):
            position = self._of(field)
            if position is not None:
                self._columns.setdefault(position, []).append(index)
        self._of_name = lru_cache(CHECKS)(self._of)

    def gaps_in(self, columns: Sequence[Sequence[object]]) -> Iterator[tuple[int, Position]]:
        """Rows of a delimited file, by their index, that fill a position and not the one before it."""
        for position, here in self._columns.items():
            if not position.number:
                continue
            before = self._columns.get(position.before, ())
            for index in range(len(columns[here[0]])):
                if _any_given(columns, here, index) and not _any_given(columns, before, index):
                    yield index, position

    def gaps_of(self, found: Shredded) -> list[tuple[int, Position]]:
        """The same of JSON objects by paths."""
        named = {path: position for path in found.parts if (position := self._of_name(path)) is not None}
        if not any(position.number for position in named.values()):
            return []
        filled: dict[Position, set[int]] = {}
        for path, position in named.items():
            for rows, values, _ in found.parts[path]:
                given = (row for row, value in zip(rows, values, strict=True) if not isinstance(value, dict | list))
                filled.setdefault(position, set()).update(given)
        gaps = [
            (row, position)
            for position, rows in filled.items()
            if position.number
            for row in rows - filled.get(position.before, set())
        ]
        return sorted(gaps, key=lambda gap: (gap[0], gap[1].list, gap[1].number))

    def _of(self, name: str) -> Position | None:
        found = self._match(name) if self._match else None
        return Position(found[1], int(found[2])) if found else None


def _any_given(columns: Sequence[Sequence[object]], indexes: Sequence[int], row: int) -> bool:
    return any(columns[index][row] is not ABSENT for index in indexes)
