"""Reads the stored file of an import again, batch by batch as it was committed.

A run keeps what is wrong with its rows, not the rows themselves: a row that is shown is read from the file again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any, BinaryIO

from app.errors import Refused, SourceLost
from app.formats.records import Position, Reader, Record, UnreadableRow
from app.problems import Problem
from app.runs import ledger, problems
from app.runs.model import Run
from app.runtime import Runtime
from app.storage import batches, runs
from app.storage.blobs import BlobDamaged, BlobMissing, BlobsUnavailable

REREAD_BYTES = 1_048_576  # of the file at once; unreadable rows in it are kept whole, four times as long at worst

NEVER_FETCHED = "This import has no rows to report: its file could not be fetched. Its failure says why"
NOT_FETCHED_YET = "This import has no rows to report yet: its file is still being fetched"

# A committed batch as the ledger has it: a row of the table `batches`.
CommittedBatch = Mapping[Any, Any]


def ensure_file(run: Run) -> str:
    """The stored file of an import. Raises Refused("not_found") when it has none."""
    if run.blob is None:
        raise Refused("not_found", NEVER_FETCHED if run.done else NOT_FETCHED_YET)
    return run.blob


async def open_import_file(runtime: Runtime, run: Run) -> BinaryIO:
    """Raises Refused: not_found when the import has no file, gone when the file is no longer stored, or damaged."""
    blob = ensure_file(run)
    try:
        return await asyncio.to_thread(runtime.blobs.open, blob, run.blob_digests)
    except BlobMissing:
        raise Refused("gone", "The file of this import is no longer stored") from None
    except BlobDamaged:
        raise Refused("gone", "The stored file of this import is damaged, so its rows cannot be shown") from None


@contextmanager
def closing_file(file: BinaryIO) -> Iterator[None]:
    """Closes the file at the end. Raises SourceLost where the file cannot be read to its end, or is damaged there."""
    try:
        with file:
            yield
    except (BlobDamaged, BlobsUnavailable) as lost:
        raise SourceLost from lost


async def load_batches(runtime: Runtime, run: Run, *, only_with_problems: bool) -> AsyncIterator[CommittedBatch]:
    """One batch at a time: no session stays open while bytes travel to a client that may be slow. Raises SourceLost
    if the run is deleted or pruned meanwhile."""
    load = batches.with_problems if only_with_problems else batches.from_number
    number = 0
    while True:
        async with runtime.database.read() as session:
            found = await load(session, run.id, since=number + 1, limit=1)
            # A run loses all its batches at once: no more of them means the end, unless the run is gone as well.
            if not found and not await runs.is_kept(session, run.id):
                raise SourceLost
        if not found:
            return
        number = found[0]["number"]
        yield ledger.leave_out(found[0]) if run.is_given_up else found[0]


def group_problems(batch: CommittedBatch) -> dict[int, list[Problem]]:
    """The problems of the batch by the number of the row. Blocking."""
    by_row: dict[int, list[Problem]] = {}
    for problem in problems.unpack(batch["problems"]) if batch["problems"] else ():
        by_row.setdefault(problem.row, []).append(problem)
    return by_row


class ProblemsByRow:
    """The problems of a batch in the order of the file. There may be 200,000 of them, which take 100 MB together."""

    def __init__(self, batch: CommittedBatch) -> None:
        listed = problems.unpack(batch["problems"]) if batch["problems"] else iter(())
        self._rows = ((row, list(found)) for row, found in groupby(listed, attrgetter("row")))
        self._next = next(self._rows, None)

    def take_until(self, last_row: int) -> dict[int, list[Problem]]:
        """Those of the next rows up to that one, by the number of the row. Blocking."""
        taken = dict[int, list[Problem]]()
        while self._next is not None and self._next[0] <= last_row:
            row, found = self._next
            taken[row] = found
            self._next = next(self._rows, None)
        return taken


def reread_rows(reader: Reader, batch: CommittedBatch, *, last_row: int) -> Iterator[dict[int, Record | UnreadableRow]]:
    """The rows of the batch by their numbers, up to `last_row`, a piece of the file at a time. Blocking."""
    position = Position(batch["at_offset"], batch["at_line"], batch["at_row"])
    while position.row < last_row:
        piece = reader.read(position, max_rows=last_row - position.row, max_bytes=REREAD_BYTES)
        piece.keep_first(last_row - position.row)
        rows: dict[int, Record | UnreadableRow] = dict(zip(piece.rows, piece.records, strict=True))
        rows |= {record.row: record for record in piece.unreadable}
        yield rows
        if piece.last:
            return
        position = piece.end
