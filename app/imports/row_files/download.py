"""Writes the rows of an import as a file: each as it was sent, followed by what became of it.

Once it is corrected the file can be sent back as it is. It is made while it is sent, a piece at a time, so that memory
does not grow with it.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, Literal

from app.formats import open_reader
from app.formats.detection.report_header import REPORT_COLUMNS, RESULT_COLUMNS, name_result_members
from app.formats.records import Reader
from app.imports.plan import Plan, load_plan
from app.imports.results.reread import CommittedBatch, closing_file, load_batches, open_import_file
from app.imports.row_files.csv_rows import CsvRows
from app.imports.row_files.json_rows import JsonRows
from app.imports.row_files.key_teller import KeyTeller
from app.imports.row_files.layout import RowsLayout, add_paths, build_layout, flatten_record
from app.imports.row_files.piece import read_pieces
from app.runs import ledger
from app.runs.model import Run
from app.runtime import Runtime

PIECE_BYTES: Final = 131_072  # of the file that are written at once
RowsFormat = Literal["csv", "jsonl"]
RowOutcomeName = Literal["created", "updated", "unchanged", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class WantedRows:
    """Rows with which `outcomes`, all if there are none; in which format, that of the import's file if it is None; and
    followed by which columns."""

    outcomes: frozenset[str] = frozenset()
    format: RowsFormat | None = None
    report: tuple[str, ...] = RESULT_COLUMNS

    @property
    def only_failed(self) -> bool:
        return self.outcomes == {"failed"}

    def choose_format(self, run: Run) -> RowsFormat:
        """Of a run whose file is there."""
        return self.format or ("jsonl" if load_plan(run).dialect.format == "jsonl" else "csv")


FAILED_ROWS: Final = WantedRows(frozenset({"failed"}), "csv", REPORT_COLUMNS)


async def open_rows(runtime: Runtime, run: Run, wanted: WantedRows) -> AsyncIterator[bytes]:
    """The file, a piece at a time; of an import that is still running as far as it has come. Raises Refused: not_found,
    gone before the first byte."""
    return write_rows(runtime, run, await open_import_file(runtime, run), wanted)


async def write_rows(runtime: Runtime, run: Run, file: BinaryIO, wanted: WantedRows) -> AsyncIterator[bytes]:
    with closing_file(file):
        source = await asyncio.to_thread(open_source, runtime, run, file, wanted)
        if source.layout.nested and wanted.choose_format(run) == "csv":
            source.layout = await find_paths(runtime, run, source)
        rows = source.build_rows(wanted.choose_format(run))
        if header := rows.write_header():
            yield header
        async for batch in load_batches(runtime, run, only_with_problems=wanted.only_failed):
            pieces = source.write_batch(batch, rows)
            while piece := await write_piece(runtime, run, pieces):
                yield piece


async def write_piece(runtime: Runtime, run: Run, pieces: Iterator[bytes]) -> bytes:
    """The next piece, b"" at the end. Nobody's turn lasts while bytes travel to a client that may be slow."""
    async with runtime.heavy_reads.turn(run.account_id, begun=True):
        return await asyncio.to_thread(next, pieces, b"")


def open_source(runtime: Runtime, run: Run, file: BinaryIO, wanted: WantedRows) -> "RowsSource":
    """Blocking."""
    plan = load_plan(run)
    # An unreadable row is written whole, so that it can be corrected.
    reader = open_reader(file, plan.dialect, replace(runtime.limits, raw_characters=None))
    teller = KeyTeller(runtime, run) if "_key" in wanted.report else None
    return RowsSource(file, reader, plan, wanted, build_layout(plan, run.type), teller)


@dataclass(slots=True)
class RowsSource:
    """The open file of an import, and what is wanted of it. Every method blocks."""

    file: BinaryIO
    reader: Reader
    plan: Plan
    wanted: WantedRows
    layout: RowsLayout
    teller: KeyTeller | None

    def build_rows(self, format: RowsFormat) -> CsvRows | JsonRows:
        delimited = self.plan.dialect.format != "jsonl"
        if format == "csv":
            return CsvRows(self.layout, self.wanted.report, as_sent=delimited)
        return JsonRows(self.layout if delimited else None)

    def write_batch(self, batch: CommittedBatch, rows: CsvRows | JsonRows) -> Iterator[bytes]:
        """The wanted rows of one batch, some 128 kB at a time."""
        if self.wanted.outcomes and not has_any(batch, self.wanted.outcomes):
            return
        written = bytearray()
        for piece in read_pieces(self.file, self.reader, self.teller, batch):
            written += rows.write(piece.select(self.wanted.outcomes) if self.wanted.outcomes else piece)
            if len(written) >= PIECE_BYTES:
                yield bytes(written)
                written.clear()
        if written:
            yield bytes(written)

    def list_paths(self, batch: CommittedBatch) -> Iterator[str]:
        """Of the values in the wanted rows of one batch."""
        for piece in read_pieces(self.file, self.reader, None, batch):
            chosen = piece.select(self.wanted.outcomes) if self.wanted.outcomes else piece
            for flat in map(flatten_record, chosen.records):
                yield from name_own(flat) if isinstance(flat, Mapping) else ()


async def find_paths(runtime: Runtime, run: Run, source: RowsSource) -> RowsLayout:
    """The layout with a column for every path in a wanted row."""
    layout, most = source.layout, runtime.limits.columns
    async for batch in load_batches(runtime, run, only_with_problems=source.wanted.only_failed):
        async with runtime.heavy_reads.turn(run.account_id, begun=True):
            layout = await asyncio.to_thread(add_paths, layout, source.list_paths(batch), most=most)
        if len(layout.header) >= most:
            break
    return layout


def name_own(record: Mapping[str, object]) -> Iterator[str]:
    """The names without those of an earlier report."""
    earlier = name_result_members(record)
    return (name for name in record if name not in earlier)


def has_any(batch: CommittedBatch, outcomes: Collection[str]) -> bool:
    return any(batch[name] for name in outcomes if name in ledger.OUTCOMES)
