"""Splits a batch into the cells of each planned column, whatever its format is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, Protocol

from app.formats.detection.report_header import name_result_members
from app.formats.records import Batch
from app.imports.checking.cells import ABSENT, ALL_TEXT, Cells
from app.imports.checking.findings import Findings
from app.imports.checking.json_objects import MemberColumn
from app.imports.checking.list_positions import ColumnGaps, Gap
from app.imports.checking.path_columns import PathColumns
from app.imports.checking.unknown_members import UnknownMembers
from app.mappings.columns import Column

FEW: Final = 3  # of so many columns it is faster to take one from each row than to turn all rows into columns


@dataclass(slots=True)
class SplitBatch:
    """A batch and the cells of its planned columns, in the order of the plan."""

    batch: Batch
    columns: list[Cells]
    paths: PathColumns | None = None  # all values of nested objects, those of planned columns included


class ColumnSplitter(Protocol):
    """One per format. The order in which its methods are called is in row_checker.py."""

    def split(self, batch: Batch) -> SplitBatch:
        """Rows that cannot be split are moved to the batch's unreadable ones."""

    def other_members(self, split: SplitBatch, findings: Findings) -> list[MemberColumn]:
        """The members of the rows that no planned column holds."""

    def find_gaps(self, split: SplitBatch) -> Iterable[Gap]:
        """Rows that leave a gap in a list."""


class DelimitedColumns:
    """Rows of a delimited file: each is a list of texts, and planned columns are all there is."""

    def __init__(self, columns: Sequence[Column], lists: Sequence[str]) -> None:
        self._indexes = [column.index for column in columns]
        self._gaps = ColumnGaps(lists, [column.field for column in columns])

    def split(self, batch: Batch) -> SplitBatch:
        records: Sequence[Any] = batch.records
        if not records:
            return SplitBatch(batch, [])
        if len(self._indexes) * FEW < len(records[0]):
            cells = [list(map(itemgetter(index), records)) for index in self._indexes]
            return SplitBatch(batch, [Cells(column, ALL_TEXT) for column in cells])
        every: list[Sequence[object]] = list(zip(*records, strict=True))
        return SplitBatch(batch, [Cells(every[index], ALL_TEXT) for index in self._indexes])

    def other_members(self, _split: SplitBatch, _findings: Findings) -> list[MemberColumn]:
        return []

    def find_gaps(self, split: SplitBatch) -> Iterable[Gap]:
        return self._gaps.find(split.columns)


def pad_unreadable(batch: Batch, width: int, delimiter: str) -> Batch:
    """The rows of a delimited file that could not be read, as if each had as many cells. Of a row with a broken quote
    they are those before it, and what seems to follow."""
    rows = batch.unreadable
    told = (row.cells or [cell.strip(' "') for cell in row.raw.split(delimiter)] for row in rows)
    cells = [[*each, *[""] * width][:width] for each in told]
    return Batch(batch.start, batch.end, records=[*cells], rows=[row.row for row in rows])


class ObjectColumns:
    """JSON objects of a type whose fields are plain members. `known` are the names that are planned or declared."""

    def __init__(self, columns: Sequence[Column], known: Collection[str], unknown_members: UnknownMembers) -> None:
        self._names = [column.heading for column in columns]
        self._known = known
        self._unknown_members = unknown_members

    def split(self, batch: Batch) -> SplitBatch:
        records = [record for record in batch.records if isinstance(record, dict)]
        shapes = [frozenset(shape) for shape in set(map(tuple, records))]
        columns = (members_named(name, records, shapes) for name in self._names)
        return SplitBatch(batch, [Cells(values, set(map(type, values))) for values in columns])

    def other_members(self, split: SplitBatch, findings: Findings) -> list[MemberColumn]:
        records = split.batch.records
        texts = [""] * len(records)
        unknown_of: dict[object, list[str]] = {}
        for index, record in enumerate(records):
            shape = tuple(record)
            unknown = unknown_of.get(shape)
            if unknown is None:
                skipped = name_result_members(record)
                unknown = [name for name in record if name not in self._known and name not in skipped]
                unknown_of[shape] = unknown
            if unknown:
                texts[index] = self._unknown_members.write(record, unknown, index, findings)  # type: ignore[arg-type]
        return [MemberColumn(None, texts)]

    def find_gaps(self, _split: SplitBatch) -> Iterable[Gap]:
        return ()


def members_named(
    name: str, records: Sequence[Mapping[str, object]], shapes: Sequence[frozenset[str]]
) -> Sequence[object]:
    """The member with this name of each record. `shapes` are the different sets of names that the records have."""
    present = [name in shape for shape in shapes]
    if all(present):
        return list(map(itemgetter(name), records))
    return [record.get(name, ABSENT) for record in records] if any(present) else [ABSENT] * len(records)
