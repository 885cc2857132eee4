"""Copies the records of one snapshot into the file of an export."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from app.errors import Fatal
from app.exports.file_writer import FileWriter
from app.exports.layout import ExportColumn, build_columns, format_header, list_known
from app.exports.order import ExportOrder
from app.exports.respelling import respell_objects, respell_rows
from app.observe.events import StepReached
from app.runs.lifecycle import RunLost
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.storage.exports import progress, snapshot
from app.storage.exports.statement import (
    MOST_CELLS,
    CellSource,
    Formulas,
    Statement,
    count_records,
    list_members,
    select_cells,
    select_lines,
    select_objects,
    select_records,
    select_rows,
)

# PostgreSQL sends 8 kB at a time. Where it is the slower one, more is left to arrive before it is read: to wake up for
# each piece took a quarter of the worker's time.
GATHERED_BYTES: Final = 65_536
GATHER_SECONDS: Final = 0.002
PROGRESS_SECONDS: Final = 1.0  # between two updates of how many records are written
TOO_MANY_COLUMNS: Final = (
    "The records have more than {limit:,} different fields, which is the limit of columns in a file"
)
# In CSV, cells that an import may read as formulas for text, and where a mapping is used, cells whose first apostrophe
# it would take off. Both find a little too much.
find_text_formula = re.compile(rb'"[^"A-Za-z0-9<]*=""').search
find_apostrophe = re.compile(rb"""(?:^|[\n,;\t|"])'+[=+@\t\r-]""").search


@dataclass(frozen=True, slots=True)
class Oddities:
    """What makes a file slower to write. Hardly any type has them, so a file is begun as if there were none, while
    another connection looks for them: to look first would take a fifth of the time of the whole export."""

    compressed: bool = False  # PostgreSQL has compressed a record
    unknown: bool = False  # a record has a member that no field of the type declares
    formulas: bool = False  # a text looks like a formula, and has to be guarded


@dataclass(frozen=True, slots=True)
class Count:
    """How many records there are, and what they have."""

    total: int
    oddities: Oddities


class OddityMet(Exception):
    """The file has to be begun again, for records that have these."""

    def __init__(self, oddities: Oddities) -> None:
        self.oddities = oddities


class Exporting:
    """The file of a run while a snapshot is copied into it, and how far that is."""

    def __init__(self, runtime: Runtime, run: Run, session: ReadSession, file: FileWriter, known: Oddities) -> None:
        self.session, self.file, self.known = session, file, known
        self.counting: asyncio.Task[Count] | None = None  # until its result is stored
        self.is_plain = False  # what comes is CSV that has no guards
        self.has_mapping = False
        self.runtime, self._run = runtime, run
        self._progress_at = time.monotonic()
        self._process = 0

    async def store_count(self, count: Count) -> None:
        """Raises RunLost, and OddityMet for what was not known."""
        self.counting = None
        if count.oddities != self.known:
            raise OddityMet(count.oddities)
        self._process = await snapshot.find_server_process(self.session)
        async with self.runtime.database.transaction() as session:
            if not await progress.begin(session, self._run.id, self._run.attempt, total=count.total):
                raise RunLost
        self.report_step("counted")

    async def write(self, data: bytes) -> None:
        """Takes what PostgreSQL has sent. Raises RunLost, OddityMet."""
        if self.counting is not None and self.counting.done():
            await self.store_count(await self.counting)
        if self.is_plain:
            self.ensure_plain(data)
        await self.file.add(data)
        self.report_step("copying")
        if len(data) < GATHERED_BYTES:
            await asyncio.sleep(GATHER_SECONDS)
        if time.monotonic() - self._progress_at >= PROGRESS_SECONDS:
            await self.store_progress()

    def ensure_plain(self, data: bytes) -> None:
        if find_text_formula(data) or (self.has_mapping and find_apostrophe(data)):
            raise OddityMet(replace(self.known, formulas=True))

    async def store_progress(self) -> None:
        self._progress_at = time.monotonic()
        async with self.runtime.database.transaction() as session:
            if not await progress.move_on(session, self._run.id, self._run.attempt, process=self._process):
                raise RunLost

    def report_step(self, step: str) -> None:
        self.runtime.observe(StepReached(self._run.id, step))


async def write_records(exporting: Exporting, order: ExportOrder) -> int:
    """Returns their number. Raises RunLost, OddityMet, and Fatal if the file would not have as many records as there
    are."""
    order = replace(order, selection=replace(order.selection, compressed=exporting.known.compressed))
    async with counted(exporting, order) as counting:
        copied = await (write_objects if order.file.format == "jsonl" else write_cells)(exporting, order)
        count = await counting
    if exporting.counting is not None:
        await exporting.store_count(count)
    exporting.report_step("copied")
    if copied != count.total:
        raise Fatal("count_mismatch")
    return copied


@asynccontextmanager
async def counted(exporting: Exporting, order: ExportOrder) -> AsyncIterator[asyncio.Task[Count]]:
    """Has the records counted in the same snapshot, while they are copied."""
    exporting.report_step("counting")
    shared = await snapshot.share_snapshot(exporting.session)
    counting = exporting.counting = asyncio.create_task(count_with_oddities(exporting, order, shared))
    try:
        yield counting
    finally:
        counting.cancel()
        await asyncio.wait({counting})  # what went wrong with it was raised already, or something else ends this


async def count_with_oddities(exporting: Exporting, order: ExportOrder, shared: str) -> Count:
    known, members = exporting.known, list_known(order.resource) if has_every_field(order) else None
    async with snapshot.open_snapshot(exporting.runtime.database, shared) as session:
        (found,) = await snapshot.fetch(session, count_records(order.selection, members))
    compressed, unknown = known.compressed or found["compressed"], known.unknown or found["unknown"]
    return Count(found["total"], replace(known, compressed=compressed, unknown=unknown))


def has_every_field(order: ExportOrder) -> bool:
    """Whether the file has a column for whatever the records hold."""
    return order.file.format == "csv" and not order.mapping.columns and order.selection.filter.fields is None


async def list_columns(exporting: Exporting, order: ExportOrder) -> tuple[ExportColumn, ...]:
    """Raises Fatal for more columns than a file may have."""
    most = exporting.runtime.limits.columns
    members = list_members(order.selection, most + len(order.resource.fields))
    rows = await snapshot.fetch(exporting.session, members) if exporting.known.unknown else []
    names = [row["name"] for row in rows]
    columns = build_columns(order.resource, order.mapping, names, order.selection.filter.fields)
    if len(columns) > most:
        raise Fatal("too_many_columns", TOO_MANY_COLUMNS.format(limit=most))
    return columns


async def write_cells(exporting: Exporting, order: ExportOrder) -> int:
    """PostgreSQL writes CSV, unless a mapping has cells spelled in another way."""
    delimiter, guard = order.file.delimiter, exporting.known.formulas
    columns = await list_columns(exporting, order)
    # The headings of a mapping are its author's own; those of members may be whatever a stranger has sent.
    neutralize = order.file.formulas == "neutralize" and not order.mapping.columns
    head = format_header(columns, delimiter, neutralize=neutralize) if order.mapping.has_header else b""
    respells = any(each.write for each in columns)
    await exporting.file.begin(head, respell_rows(columns, delimiter) if respells else None)
    sources = [each.source for each in columns]
    if respells:
        statement = select_rows(order.selection, sources, choose_formulas(order, guard=True))
        return await snapshot.copy_objects(exporting.session, statement, exporting.write)
    if len(columns) == 1 or len(columns) > MOST_CELLS:
        statement = select_lines(order.selection, sources, choose_formulas(order, guard=True), delimiter)
        return await snapshot.copy_lines(exporting.session, statement, exporting.write)
    formulas = choose_formulas(order, guard=guard)
    exporting.is_plain, exporting.has_mapping = not guard, formulas.escape and not formulas.neutralize
    statement = select_cells(order.selection, sources, formulas)
    return await snapshot.copy_cells(exporting.session, statement, exporting.write, delimiter=delimiter)


def choose_formulas(order: ExportOrder, *, guard: bool) -> Formulas:
    neutralize = order.file.formulas == "neutralize"
    return Formulas(neutralize=neutralize, guard=guard, escape=order.mapping.is_native)


async def write_objects(exporting: Exporting, order: ExportOrder) -> int:
    resource = order.resource
    statement: Statement
    fields = order.selection.filter.fields
    if order.mapping.columns or fields is not None:
        columns = build_columns(resource, order.mapping, [], fields)
        if any(each.write for each in columns):
            await exporting.file.begin(b"", respell_objects(columns))
        named: list[tuple[str, CellSource]] = [(each.heading, each.source) for each in columns if each.source.member]
        statement = select_objects(order.selection, named)
    else:
        statement = select_records(order.selection, resource.surrogate.id if resource.surrogate else None)
    return await snapshot.copy_objects(exporting.session, statement, exporting.write)
