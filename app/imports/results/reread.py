"""Reads the stored file of an import again, batch by batch as it was committed.

A run keeps what is wrong with its rows, not the rows themselves: whoever shows a row takes it from the file.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, BinaryIO

from app.errors import Refused
from app.formats.records import Position, Reader, Record, UnreadableRow
from app.problems import Problem
from app.runs import problems
from app.runs.model import Run
from app.runtime import Runtime
from app.storage import batches
from app.storage.blobs import BlobMissing

REREAD_BYTES = 1_048_576  # of the file at once; unreadable rows in it are kept whole, four times as long at worst

# A committed batch as the ledger has it: a row of the table `batches`.
CommittedBatch = Mapping[Any, Any]


async def open_import_file(runtime: Runtime, run: Run) -> BinaryIO:
    """Raises Refused("gone") when the file is not stored any more."""
    try:
        return await asyncio.to_thread(runtime.blobs.open, run.blob or "")
    except BlobMissing:
        raise Refused("gone", "The file of this import is no longer stored") from None


async def load_batches(runtime: Runtime, run: Run, *, only_with_problems: bool) -> AsyncIterator[CommittedBatch]:
    """One batch at a time: no session stays open while bytes travel to a client that may be slow."""
    load = batches.with_problems if only_with_problems else batches.from_number
    number = 0
    while True:
        async with runtime.database.read() as session:
            found = await load(session, run.id, since=number + 1, limit=1)
        if not found:
            return
        number = found[0]["number"]
        yield found[0]


def group_problems(batch: CommittedBatch) -> dict[int, list[Problem]]:
    """The problems of the batch by the number of the row. Blocking."""
    by_row: dict[int, list[Problem]] = {}
    for problem in problems.unpack(batch["problems"]) if batch["problems"] else ():
        by_row.setdefault(problem.row, []).append(problem)
    return by_row


def reread_rows(reader: Reader, batch: CommittedBatch, *, last_row: int) -> Iterator[dict[int, Record | UnreadableRow]]:
    """The rows of the batch by their numbers, up to `last_row`, a piece of the file at a time. Blocking."""
    position = Position(batch["at_offset"], batch["at_line"], batch["at_row"])
    while position.row < last_row:
        piece = reader.read(position, max_rows=last_row - position.row, max_bytes=REREAD_BYTES)
        rows: dict[int, Record | UnreadableRow] = dict(zip(piece.rows, piece.records, strict=True))
        rows |= {record.row: record for record in piece.unreadable}
        yield rows
        if piece.last:
            return
        position = piece.end
