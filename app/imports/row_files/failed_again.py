"""Writes the failed rows of an import as a file of their own, as they are and without a report."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final

from app.formats import open_reader
from app.formats.records import READING_RULES, Dialect, Reader, UnreadableRow
from app.imports.examine import Upload
from app.imports.plan import Plan, load_plan
from app.imports.results.csv_cells import encode_text, format_json, format_lines
from app.imports.results.reread import CommittedBatch, closing_file, group_problems, load_batches, open_import_file
from app.imports.row_files.piece import Piece, read_pieces
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.blobs import BlobWriter

# Rows that are whole, although they could not be read: among others they fail again, and cost no other row anything.
WHOLE: Final = frozenset({"missing_cell", "extra_cell", "cell_too_long"})
ONE_LINE: Final = WHOLE | {"encoding_error", "invalid_character"}


async def write_failed_again(runtime: Runtime, run: Run) -> Upload:
    """An upload of the rows that failed, in the order of the file, with its header and read in its way. Abort
    its writer if it is not submitted. Raises Refused: not_found, gone; SourceLost."""
    writer = await asyncio.to_thread(runtime.blobs.create)
    try:
        again = FailedAgain(await open_import_file(runtime, run), load_plan(run), writer)
        await write_batches(runtime, run, again)
    except BaseException:
        writer.abort()
        raise
    return again.as_upload(run.file_name)


async def write_batches(runtime: Runtime, run: Run, again: "FailedAgain") -> None:
    with closing_file(again.file):
        reader = await asyncio.to_thread(again.begin, runtime)
        async for batch in load_batches(runtime, run, only_with_problems=True):
            async with runtime.heavy_reads.turn(run.account_id, begun=True):
                await asyncio.to_thread(again.add_batch, reader, batch)


@dataclass(slots=True)
class FailedAgain:
    """The file that is being written. Every method but `as_upload` blocks."""

    file: BinaryIO
    plan: Plan
    writer: BlobWriter
    _sha256: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def begin(self, runtime: Runtime) -> Reader:
        if self.plan.dialect.format != "jsonl":
            self._write(format_lines([list_headings(self.plan)], self.plan.dialect.delimiter))
        return open_reader(self.file, self.plan.dialect, replace(runtime.limits, raw_characters=None))

    def add_batch(self, reader: Reader, batch: CommittedBatch) -> None:
        failed, row = group_problems(batch).keys(), batch["at_row"] + 1
        for piece in read_pieces(self.file, reader, None, batch):
            end = row + len(piece.lines)
            indexes = sorted(each - row for each in failed & range(row, end))
            self._write(b"".join(self._format_rows(piece, indexes)))
            row = end

    def as_upload(self, file_name: str | None) -> Upload:
        dialect = replace(self.plan.dialect, rules=READING_RULES)
        size, sha256 = self.writer.size, self._sha256.hexdigest()
        return Upload(self.writer, file_name, size, sha256, dialect.encoding, dialect)

    def _write(self, data: bytes) -> None:
        self.writer.write(data)
        self._sha256.update(data)

    def _format_rows(self, piece: Piece, indexes: Sequence[int]) -> Iterator[bytes]:
        dialect, columns = self.plan.dialect, len(self.plan.header)
        for index in indexes:
            record, raw = piece.records[index], piece.raw[index] if piece.raw else None
            if isinstance(record, UnreadableRow):
                yield format_unread(record, raw, dialect, columns=columns)
            elif isinstance(record, dict):
                yield encode_text(format_json(record)) + b"\n"
            elif raw is not None:
                yield raw + b"\r\n"
            else:
                yield format_row(record, dialect.delimiter)  # type: ignore[arg-type]


def format_row(cells: Sequence[str], delimiter: str) -> bytes:
    """A line of nothing but delimiters and blanks is no row, unless a quote makes it one."""
    if any(map(str.strip, cells)):
        return format_lines([cells], delimiter)
    return encode_text(delimiter.join(f'"{cell}"' for cell in cells)) + b"\r\n"


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
