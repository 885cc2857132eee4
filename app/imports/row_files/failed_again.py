"""Writes failed rows of an import as a file of their own, without a report: as they are, or with their cells edited."""

import asyncio
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final, Protocol

from app.formats import open_reader
from app.formats.records import READING_RULES, Dialect, Reader, Record, UnreadableRow
from app.imports.examine import Upload
from app.imports.plan import Plan, load_plan
from app.imports.results.csv_cells import encode_text, format_json, format_lines
from app.imports.results.reread import CommittedBatch, closing_file, group_problems, load_batches, open_import_file
from app.imports.row_files.piece import Piece, read_pieces
from app.imports.row_files.row_set import RowSet
from app.problems import Problem
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.blobs import BlobWriter

# Rows that are whole, although they could not be read: among others they fail again, and cost no other row anything.
WHOLE: Final = frozenset({"missing_cell", "extra_cell", "cell_too_long"})
ONE_LINE: Final = WHOLE | {"encoding_error", "invalid_character"}


class Edit(Protocol):
    """What is done to failed rows while they are written. Rows that could not be read have no cells to edit, and are
    left out. Every method blocks."""

    @property
    def dropped(self) -> Collection[int | str]:
        """The columns that the new file does not have: their indexes, or the names of members of JSON objects."""

    def concerns(self, found: Sequence[Problem]) -> bool:
        """Whether a row in which this is wrong is written."""

    def edit(self, record: Record, found: Sequence[Problem]) -> Record:
        """The row with other cells, those of dropped columns included."""


@dataclass(frozen=True, slots=True)
class FailedRows:
    """A file of failed rows, and which rows of the import it has; None: nobody knows. It would have `left_out` more if
    others had not taken them."""

    upload: Upload
    rows: RowSet | None
    left_out: int = 0


async def write_failed_again(
    runtime: Runtime, run: Run, *, edit: Edit | None = None, others: RowSet | None = None
) -> FailedRows:
    """The rows that failed, in the order of the file, with its header and read in its way, without those that `others`
    have. Abort the upload's writer if it is not submitted. Raises Refused: not_found, gone, too_many_reads; SourceLost.
    """
    file = await open_import_file(runtime, run)
    writer = await asyncio.to_thread(runtime.blobs.create)
    try:
        again = FailedAgain(file, load_plan(run), writer, edit, others or RowSet())
        await write_batches(runtime, run, again)
    except BaseException:
        writer.abort()
        raise
    return FailedRows(again.as_upload(run.file_name), again.rows, again.left_out)


async def write_batches(runtime: Runtime, run: Run, again: "FailedAgain") -> None:
    with closing_file(again.file):
        reader = await asyncio.to_thread(again.begin, runtime)
        async for batch in load_batches(runtime, run, only_with_problems=True):
            async with runtime.heavy_reads.turn(run.account_id, begun=again.begun):
                await asyncio.to_thread(again.add_batch, reader, batch)


@dataclass(slots=True)
class FailedAgain:
    """The file that is being written. Every method but `as_upload` blocks."""

    file: BinaryIO
    plan: Plan
    writer: BlobWriter
    edit: Edit | None
    others: RowSet
    rows: RowSet = field(default_factory=RowSet)
    left_out: int = 0
    begun: bool = False
    _sha256: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def dropped(self) -> Collection[int | str]:
        return self.edit.dropped if self.edit else ()

    def begin(self, runtime: Runtime) -> Reader:
        if self.plan.dialect.format != "jsonl":
            self._write(format_lines([self._keep(list_headings(self.plan))], self.plan.dialect.delimiter))
        return open_reader(self.file, self.plan.dialect, replace(runtime.limits, raw_characters=None))

    def add_batch(self, reader: Reader, batch: CommittedBatch) -> None:
        self.begun = True
        failed, row = self._choose(group_problems(batch)), batch["at_row"] + 1
        if not failed:
            return
        for piece in read_pieces(self.file, reader, None, batch):
            end = row + len(piece.lines)
            chosen = sorted(failed.keys() & range(row, end))
            self._write(b"".join(self._format_rows(piece, row, {number: failed[number] for number in chosen})))
            row = end

    def as_upload(self, file_name: str | None) -> Upload:
        columns = tuple(self._keep(self.plan.dialect.columns))
        dialect = replace(self.plan.dialect, rules=READING_RULES, columns=columns)
        size, sha256 = self.writer.size, self._sha256.hexdigest()
        return Upload(self.writer, file_name, size, sha256, dialect.encoding, dialect)

    def _choose(self, failed: Mapping[int, Sequence[Problem]]) -> dict[int, Sequence[Problem]]:
        wanted = {row: found for row, found in failed.items() if self.edit is None or self.edit.concerns(found)}
        free = {row: found for row, found in wanted.items() if row not in self.others}
        self.left_out += len(wanted) - len(free)
        return free

    def _write(self, data: bytes) -> None:
        self.writer.write(data)
        self._sha256.update(data)

    def _keep(self, cells: Sequence[str]) -> Sequence[str]:
        dropped = self.dropped
        return [cell for index, cell in enumerate(cells) if index not in dropped] if dropped else cells

    def _format_rows(self, piece: Piece, first: int, chosen: Mapping[int, Sequence[Problem]]) -> Iterator[bytes]:
        dialect, columns = self.plan.dialect, len(self.plan.header)
        for row, found in chosen.items():
            record, raw = piece.records[row - first], piece.raw[row - first] if piece.raw else None
            if isinstance(record, UnreadableRow):
                if self.edit is not None:
                    continue
                yield format_unread(record, raw, dialect, columns=columns)
            elif self.edit is not None:
                yield self._format_edited(self.edit.edit(record, found))
            elif raw is not None and not isinstance(record, Mapping):
                yield raw + b"\r\n"
            else:
                yield format_record(record, dialect.delimiter)
            self.rows.add(row)

    def _format_edited(self, record: Record) -> bytes:
        if isinstance(record, Mapping):
            record = {name: value for name, value in record.items() if name not in self.dropped}
        else:
            record = self._keep(record)
        return format_record(record, self.plan.dialect.delimiter)


def format_record(record: Record, delimiter: str) -> bytes:
    """A line of nothing but delimiters and blanks is no row, unless a quote makes it one."""
    if isinstance(record, Mapping):
        return encode_text(format_json(record)) + b"\n"
    if any(map(str.strip, record)):
        return format_lines([record], delimiter)
    return encode_text(delimiter.join(f'"{cell}"' for cell in record)) + b"\r\n"


def list_headings(plan: Plan) -> Sequence[str]:
    """As the header of the file has them: where all rows end with a delimiter, the reader adds a last one."""
    if plan.dialect.columns:
        return plan.dialect.columns
    return plan.header[:-1] if plan.dialect.rows_end_with_delimiter else plan.header


def format_unread(row: UnreadableRow, raw: bytes | None, dialect: Dialect, *, columns: int) -> bytes:
    """A row that could not be read, so that it cannot be read again, and the rows after it can. What has a broken quote
    could swallow them: its text becomes a single cell, which is one too few, or the second where one is expected."""
    if dialect.format == "jsonl":
        return (encode_text(row.raw) if raw is None else raw).rstrip(b"\r\n") + b"\n"
    if raw is not None and row.code in ONE_LINE:
        return raw + b"\r\n"
    if row.code in WHOLE:
        return encode_text(row.raw.rstrip("\r\n")) + b"\r\n"
    return format_lines([[row.raw.rstrip("\r\n")] if columns > 1 else ["", row.raw]], dialect.delimiter)
