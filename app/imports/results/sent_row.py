"""Reads one row of the file of an import again, as it was sent."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from app.errors import Refused
from app.formats import open_reader
from app.formats.records import Position, Record
from app.imports.plan import Plan, load_plan
from app.imports.results.csv_cells import format_cell
from app.imports.results.reread import REREAD_BYTES, closing_file, open_import_file
from app.runs.model import Run
from app.runtime import Runtime
from app.storage import batches

NO_ROW = "The import has looked at no row with this number"


@dataclass(frozen=True, slots=True)
class SentRow:
    """A row with its cells under their headings, in the order of the file; of JSON Lines the members. `raw` is the text
    of a row that could not be read; else it is empty."""

    row: int
    line: int
    cells: Sequence[tuple[str, str]]
    raw: str = ""


async def read_sent_row(runtime: Runtime, run: Run, row: int) -> SentRow:
    """Raises Refused: not_found if there is no such row, gone when the file is not stored any more."""
    file = await open_import_file(runtime, run)
    with closing_file(file):
        async with runtime.database.read() as session:
            batch = await batches.find_holding(session, run.id, row)
        if batch is None:
            raise Refused("not_found", NO_ROW)
        async with runtime.heavy_reads.turn(run.account_id):
            return await asyncio.to_thread(find_row, runtime, file, load_plan(run), batch, row)


def find_row(runtime: Runtime, file: BinaryIO, plan: Plan, batch: Mapping[Any, Any], row: int) -> SentRow:
    """Blocking. Raises Refused("not_found")."""
    reader = open_reader(file, plan.dialect, runtime.limits)
    position, last = Position(batch["at_offset"], batch["at_line"], batch["at_row"]), False
    while position.row < row and not last:
        piece = reader.read(position, max_rows=row - position.row, max_bytes=REREAD_BYTES)
        position, last = piece.end, piece.last
    if row in piece.rows:
        place = piece.rows.index(row)
        return SentRow(row, piece.lines[place], list_cells(reader.header, piece.records[place]))
    for unreadable in piece.unreadable:
        if unreadable.row == row:
            return SentRow(row, unreadable.line, (), escape_bytes(unreadable.raw))
    raise Refused("not_found", NO_ROW)


def list_cells(header: Sequence[str], record: Record) -> list[tuple[str, str]]:
    if isinstance(record, Mapping):
        return [(escape_bytes(name), escape_bytes(format_cell(value, None))) for name, value in record.items()]
    return [(name, escape_bytes(cell)) for name, cell in zip(header, record, strict=False)]


def escape_bytes(text: str) -> str:
    """Bytes that are no UTF-8, as the reader keeps them, and lone surrogates of JSON become characters that can be
    sent."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
