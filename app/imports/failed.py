"""The failed rows of an import as a CSV file: its own columns, then what is wrong; corrected, it can be sent back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from typing import BinaryIO

from app.errors import Refused
from app.formats import open_reader
from app.formats.records import Limits, Position
from app.imports.plan import Plan, plan_from
from app.imports.stages.report import failed_header, failed_rows
from app.problems import Problem
from app.runs import problems
from app.runs.model import Run
from app.runtime import Runtime
from app.storage import batches
from app.storage.blobs import BlobMissing


async def failed_rows_file(runtime: Runtime, run: Run) -> AsyncIterator[bytes]:
    """The file, a batch at a time: memory does not grow with it. Raises Refused("gone") before the first byte."""
    plan = plan_from(run.plan)
    try:
        source = runtime.blobs.open(run.blob or "")
    except BlobMissing:
        raise Refused("gone", "The file of this import is not stored any more") from None
    return written(runtime, run, plan, source)


async def written(runtime: Runtime, run: Run, plan: Plan, source: BinaryIO) -> AsyncIterator[bytes]:
    with closing(source):
        yield failed_header(header_of(plan), plan.dialect.delimiter)
        number = 0
        while True:
            # No session stays open while bytes travel to a client that may be slow.
            async with runtime.database.read() as session:
                found = await batches.with_problems(session, run.id, since=number + 1, limit=1)
            if not found:
                return
            batch = found[0]
            number, start = batch["number"], Position(batch["at_offset"], batch["at_line"], batch["at_row"])
            told = problems.unpack(batch["problems"])
            yield await asyncio.to_thread(lines, source, plan, start, told=told, limits=runtime.limits)


def lines(source: BinaryIO, plan: Plan, start: Position, *, told: list[Problem], limits: Limits) -> bytes:
    """The failed rows of the batch that begins at `start`. Blocking."""
    reader = open_reader(source, plan.dialect, limits)
    rows = failed_rows(reader, start, told, header=header_of(plan), delimiter=plan.dialect.delimiter)
    return b"".join(rows)


def header_of(plan: Plan) -> tuple[str, ...]:
    """JSON Lines have no header: there the columns are the fields of the type."""
    return plan.header or tuple(column.heading for column in plan.columns)
