"""What became of each row of an import that keeps a ledger, from re-reading its file."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO

from app.errors import Refused
from app.formats import open_reader
from app.formats.records import Position, Reader, Record, UnreadableRow
from app.imports.plan import load_plan
from app.problems import Problem
from app.runs import ledger, problems
from app.runs.model import Run
from app.runtime import Runtime
from app.storage import batches
from app.storage.blobs import BlobMissing

REREAD_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """One row: `new` when it made a record, `left` when an import accepted later had overtaken it; `problems` when it
    failed."""

    record: Record | UnreadableRow
    new: bool
    left: bool
    problems: Sequence[Problem]


async def row_outcomes(runtime: Runtime, run: Run) -> AsyncIterator[list[RowOutcome]]:
    """All rows, a batch at a time. Raises Refused("gone") before the first."""
    try:
        source = await asyncio.to_thread(runtime.blobs.open, run.blob or "")
    except BlobMissing:
        raise Refused("gone", "The file of this import is not stored any more") from None
    return told(runtime, run, source)


async def told(runtime: Runtime, run: Run, source: BinaryIO) -> AsyncIterator[list[RowOutcome]]:
    with closing(source):
        reader = await asyncio.to_thread(open_reader, source, load_plan(run).dialect, runtime.limits)
        number = 1
        while True:
            async with runtime.database.read() as session:
                found = await batches.from_number(session, run.id, since=number, limit=1)
            if not found:
                return
            number = found[0]["number"] + 1
            yield await asyncio.to_thread(lambda batch: list(of_batch(reader, batch)), found[0])


def of_batch(reader: Reader, batch: Mapping[Any, Any]) -> Iterator[RowOutcome]:
    """The rows of one batch, in the file's order. Blocking."""
    kept = ledger.unpack(batch["created_rows"])
    wrong: dict[int, list[Problem]] = {}
    for problem in problems.unpack(batch["problems"]) if batch["problems"] else ():
        wrong.setdefault(problem.row, []).append(problem)
    position = Position(batch["at_offset"], batch["at_line"], batch["at_row"])
    last = position.row + sum(batch[name] for name in ("created", "updated", "unchanged", "skipped", "failed"))
    while position.row < last:
        read = reader.read(position, max_rows=last - position.row, max_bytes=REREAD_BYTES)
        rows: dict[int, Record | UnreadableRow] = dict(zip(read.rows, read.records, strict=True))
        rows |= {each.row: each for each in read.unreadable}
        for row in sorted(rows):
            yield RowOutcome(rows[row], row in kept.new, row in kept.left, wrong.get(row, ()))
        if read.last:
            return
        position = read.end
