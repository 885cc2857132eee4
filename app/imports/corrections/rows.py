"""Writes the failed rows that corrections are about as a file of the same kind, with the corrections made."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, BinaryIO

from app.errors import Refused, SourceLost
from app.formats import open_reader
from app.formats.records import READING_RULES, Dialect, Reader, Record, UnreadableRow
from app.imports.corrections.columns import CorrectedColumn
from app.imports.plan import Plan
from app.imports.results.csv_cells import format_json, format_lines
from app.imports.results.reread import CommittedBatch, closing_file, load_batches, open_import_file, reread_rows
from app.problems import Problem
from app.runs import problems
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.blobs import BlobWriter

PIECE_BYTES = 262_144  # that are written at once
GONE = "The import has been deleted meanwhile"


@dataclass(slots=True)
class CorrectedRows:
    """The file as it is written: rows of `plan`'s file, in its dialect. Every method blocks."""

    plan: Plan
    columns: Mapping[str, CorrectedColumn]
    writer: BlobWriter
    digest: Any = field(default_factory=hashlib.sha256)
    rows: int = 0

    @property
    def is_json(self) -> bool:
        return self.plan.dialect.format == "jsonl"

    @property
    def dropped(self) -> set[int | str]:
        """Ignored columns. Where a mapping finds columns by their place it leaves them out, and they stay."""
        kept = bool(self.plan.mapping.columns) and not self.is_json
        return set() if kept else {each.index for each in self.columns.values() if each.ignored}

    @property
    def dialect(self) -> Dialect:
        """How the file is to be read: nobody has to guess it from a few rows."""
        dialect = self.plan.dialect
        columns = tuple(name for index, name in enumerate(dialect.columns) if index not in self.dropped)
        return replace(dialect, rules=READING_RULES, columns=columns, rows_end_with_delimiter=False)

    def write_header(self) -> None:
        if not self.is_json and self.plan.dialect.has_header:
            self._write(self._format(dict(enumerate(self.plan.header))))

    def write_batch(self, reader: Reader, batch: CommittedBatch) -> None:
        """The rows of a batch that any correction is about. A row that could not be read has no cells to correct."""
        written = bytearray()
        for record, found in find_concerned(reader, batch, self.columns):
            written += self._format(self._correct(record, found))
            self.rows += 1
            if len(written) >= PIECE_BYTES:
                self._write(bytes(written))
                written.clear()
        self._write(bytes(written))

    def _correct(self, record: Record, found: Sequence[Problem]) -> dict[int | str, object]:
        """The cells by index, or the members by name."""
        members = record.items() if isinstance(record, Mapping) else enumerate(record)
        cells: dict[int | str, object] = {index: cell for index, cell in members}  # noqa: C416  their types differ
        for heading, column in self.columns.items():
            of_column = [each for each in found if each.column == heading]
            if column.index in cells or of_column:
                cells[column.index] = column.correct(cells.get(column.index), found[0].row, of_column)
        return cells

    def _format(self, cells: Mapping[Any, object]) -> bytes:
        kept = {index: cell for index, cell in cells.items() if index not in self.dropped}
        if self.is_json:
            return format_json(kept).encode("utf-8", "surrogatepass") + b"\n"
        return format_lines([[str(cell) for cell in kept.values()]], self.plan.dialect.delimiter)

    def _write(self, piece: bytes) -> None:
        self.digest.update(piece)
        self.writer.write(piece)


def find_concerned(
    reader: Reader, batch: CommittedBatch, columns: Mapping[str, CorrectedColumn]
) -> Iterator[tuple[Record, Sequence[Problem]]]:
    """In the order of the file, each row with what is wrong with it. Blocking."""
    grouped = groupby(problems.unpack(batch["problems"]), key=lambda problem: problem.row)
    concerned = {row: found for row, each in grouped if concerns_any(columns, found := list(each))}
    if not concerned:
        return
    for rows in reread_rows(reader, batch, last_row=max(concerned)):
        for row in sorted(rows.keys() & concerned.keys()):
            record = rows[row]
            if not isinstance(record, UnreadableRow):
                yield record, concerned[row]


def concerns_any(columns: Mapping[str, CorrectedColumn], found: Sequence[Problem]) -> bool:
    named = ((columns.get(each.column or ""), each) for each in found)
    return any(column is not None and column.concerns(each) for column, each in named)


async def write_corrected(runtime: Runtime, run: Run, rows: CorrectedRows) -> None:
    """A batch in each of the account's turns. Raises Refused: gone (the file), not_found (the import, meanwhile),
    too_many_reads."""
    file = await open_import_file(runtime, run)
    try:
        with closing_file(file):
            await write_batches(runtime, run, file, rows)
    except SourceLost:
        raise Refused("not_found", GONE) from None


async def write_batches(runtime: Runtime, run: Run, file: BinaryIO, rows: CorrectedRows) -> None:
    reader = await asyncio.to_thread(open_reader, file, rows.plan.dialect, runtime.limits)
    await asyncio.to_thread(rows.write_header)
    begun = False
    async for batch in load_batches(runtime, run, only_with_problems=True):
        async with runtime.heavy_reads.turn(run.account_id, begun=begun):
            await asyncio.to_thread(rows.write_batch, reader, batch)
        begun = True
