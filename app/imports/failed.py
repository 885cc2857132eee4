"""The failed rows of an import as a CSV file: its own columns, then what is wrong; corrected, it can be sent back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from typing import BinaryIO

from app.declarations.types import build_resource
from app.errors import Refused
from app.formats import open_reader
from app.formats.records import Position, Reader
from app.imports.plan import Plan, load_plan
from app.imports.stages.report import Sheet, failed_header, failed_rows, paths_of
from app.problems import Problem
from app.resources.schema import Resource
from app.runs import problems
from app.runs.model import Run
from app.runtime import Runtime
from app.storage import batches
from app.storage.blobs import BlobMissing


async def failed_rows_file(runtime: Runtime, run: Run) -> AsyncIterator[bytes]:
    """The file, a batch at a time: memory does not grow with it. Raises Refused("gone") before the first byte."""
    try:
        source = await asyncio.to_thread(runtime.blobs.open, run.blob or "")
    except BlobMissing:
        raise Refused("gone", "The file of this import is not stored any more") from None
    return written(runtime, run, source)


async def written(runtime: Runtime, run: Run, source: BinaryIO) -> AsyncIterator[bytes]:
    with closing(source):
        plan = load_plan(run)
        sheet = sheet_of(plan, build_resource(run.type, plan.declaration))
        # An unreadable row is told whole, so that it can be mended.
        limits = replace(runtime.limits, raw_characters=None)
        reader = await asyncio.to_thread(open_reader, source, plan.dialect, limits)
        if sheet.nested:
            sheet = await with_paths(runtime, run, reader, sheet)
        yield failed_header(sheet)
        async for start, told in bad_batches(runtime, run):
            yield await asyncio.to_thread(lines, reader, start, told, sheet=sheet)


async def bad_batches(runtime: Runtime, run: Run) -> AsyncIterator[tuple[Position, list[Problem]]]:
    """Where each batch that has problems begins, and the problems."""
    number = 0
    while True:
        # No session stays open while bytes travel to a client that may be slow.
        async with runtime.database.read() as session:
            found = await batches.with_problems(session, run.id, since=number + 1, limit=1)
        if not found:
            return
        batch = found[0]
        number = batch["number"]
        yield Position(batch["at_offset"], batch["at_line"], batch["at_row"]), problems.unpack(batch["problems"])


async def with_paths(runtime: Runtime, run: Run, reader: Reader, sheet: Sheet) -> Sheet:
    """The sheet with a column for every path that a failed row has: of nested JSON Lines only the rows tell."""
    header = dict.fromkeys(sheet.header)
    async for start, told in bad_batches(runtime, run):
        header |= dict.fromkeys(await asyncio.to_thread(paths_of, reader, start, told))
    return replace(sheet, header=tuple(header)[: runtime.limits.columns])


def sheet_of(plan: Plan, resource: Resource) -> Sheet:
    """JSON Lines have no header: there the columns are the fields of the type."""
    fields = [(column.heading, resource.field(column.field)) for column in plan.columns]
    separators = {heading: field.separator for heading, field in fields if field and field.type == "list"}
    header = plan.header or tuple(heading for heading, _ in fields)
    nested = bool(resource.families) and plan.dialect.format == "jsonl"
    return Sheet(header, plan.dialect.delimiter, separators, nested)


def lines(reader: Reader, start: Position, told: list[Problem], *, sheet: Sheet) -> bytes:
    """The failed rows of the batch that begins at `start`. Blocking."""
    return b"".join(failed_rows(reader, start, told, sheet=sheet))
