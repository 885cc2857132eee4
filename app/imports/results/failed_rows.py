"""Writes the failed rows of an import as CSV, each followed by what is wrong with it; once corrected it can be sent."""

import asyncio
import codecs
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import BinaryIO

from app.declarations.types import build_resource
from app.formats import open_reader
from app.formats.detection.report_header import REPORT_COLUMNS
from app.formats.records import Reader, Record, UnreadableRow
from app.imports.plan import Plan, load_plan
from app.imports.results.csv_cells import format_cell, format_json, format_line
from app.imports.results.reread import (
    CommittedBatch,
    closing_file,
    load_batches,
    open_import_file,
    reread_rows,
)
from app.mappings.conversions import WriteColumn, compile_inverse
from app.problems import Problem
from app.resources.paths import flatten
from app.runs import problems
from app.runs.model import Run
from app.runtime import Runtime

PIECE_BYTES = 262_144  # of the file that are written at once
NO_MORE: tuple[int, list[Problem]] = (sys.maxsize, [])


@dataclass(frozen=True, slots=True)
class FailedRowsLayout:
    """The shape of the file. `separators`: heading -> what separates the items of a list. `nested`: the rows are JSON
    objects, and there is a column for the path of every inner member. `writers`: heading -> what writes a value of JSON
    as the mapping reads it."""

    header: Sequence[str]
    delimiter: str
    separators: Mapping[str, str]
    nested: bool = False
    writers: Mapping[str, WriteColumn | None] = field(default_factory=dict)


async def open_failed_rows(runtime: Runtime, run: Run) -> AsyncIterator[bytes]:
    """The file, a batch at a time, so that memory does not grow with it. Raises Refused("gone") before the first
    byte."""
    return write_failed_rows(runtime, run, await open_import_file(runtime, run))


async def write_failed_rows(runtime: Runtime, run: Run, file: BinaryIO) -> AsyncIterator[bytes]:
    with closing_file(file):
        plan = load_plan(run)
        layout = await asyncio.to_thread(build_layout, plan, run.type)
        # An unreadable row is written whole, so that it can be corrected.
        limits = replace(runtime.limits, raw_characters=None)
        reader = await asyncio.to_thread(open_reader, file, plan.dialect, limits)
        if layout.nested:
            layout = await add_paths(runtime, run, reader, layout)
        names = [name for name in layout.header if name not in REPORT_COLUMNS]
        # The mark wins over the `encoding` that the first file was sent with, and spreadsheets need it to see UTF-8.
        yield codecs.BOM_UTF8 + format_line([*names, *REPORT_COLUMNS], layout.delimiter)
        async for batch in load_batches(runtime, run, only_with_problems=True):
            pieces = format_batch(reader, batch, layout)
            while piece := await write_piece(runtime, run, pieces):
                yield piece


async def write_piece(runtime: Runtime, run: Run, pieces: Iterator[bytes]) -> bytes:
    """The next piece, b"" at the end. Nobody's turn lasts while bytes travel to a client that may be slow."""
    async with runtime.heavy_reads.turn(run.account_id, begun=True):
        return await asyncio.to_thread(next, pieces, b"")


def build_layout(plan: Plan, type: str) -> FailedRowsLayout:
    """JSON Lines have no header: there the columns are the fields of the type. Blocking: a type may be large."""
    resource = build_resource(type, plan.declaration)
    fields = [(column.heading, resource.field(column.field)) for column in plan.columns]
    separators = {heading: field.separator for heading, field in fields if field and field.type == "list"}
    asked = {column.heading: column.conversions for column in plan.columns}
    separators |= {heading: each["separator"] for heading, each in asked.items() if "separator" in each}
    writers = {heading: compile_inverse(asked[heading], field) for heading, field in fields if field and asked[heading]}
    header = plan.header or tuple(heading for heading, _ in fields)
    nested = bool(resource.families) and plan.dialect.format == "jsonl"
    return FailedRowsLayout(header, plan.dialect.delimiter, separators, nested, writers)


async def add_paths(runtime: Runtime, run: Run, reader: Reader, layout: FailedRowsLayout) -> FailedRowsLayout:
    """The layout with a column for every path in a failed row: only the rows of nested JSON Lines know them. At most as
    many as a file may have."""
    header, most = dict.fromkeys(layout.header), runtime.limits.columns
    async for batch in load_batches(runtime, run, only_with_problems=True):
        async with runtime.heavy_reads.turn(run.account_id, begun=True):
            await asyncio.to_thread(collect_paths, reader, batch, header, most)
        if len(header) >= most:
            break
    return replace(layout, header=tuple(header)[:most])


def collect_paths(reader: Reader, batch: CommittedBatch, header: dict[str, None], most: int) -> None:
    """Adds the paths of the failed rows of one batch, until there are `most`. Blocking."""
    for record, _ in reread_failed_rows(reader, batch):
        flat = flatten_record(record)
        header |= dict.fromkeys(flat if isinstance(flat, Mapping) else ())
        if len(header) >= most:
            return


def format_batch(reader: Reader, batch: CommittedBatch, layout: FailedRowsLayout) -> Iterator[bytes]:
    """The failed rows of one batch as lines of CSV, some 256 kB at a time. Blocking."""
    piece, columns = bytearray(), {name: index for index, name in enumerate(layout.header)}
    # Those of an earlier file of failed rows, the last one first.
    dropped = [index for index, name in reversed(list(enumerate(layout.header))) if name in REPORT_COLUMNS]
    for record, found in reread_failed_rows(reader, batch):
        flat = flatten_record(record) if layout.nested else record
        cells = build_cells(layout, columns, flat, found)
        for index in dropped:
            del cells[index]
        piece += format_line(cells, layout.delimiter)
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def reread_failed_rows(
    reader: Reader, batch: CommittedBatch
) -> Iterator[tuple[Record | UnreadableRow, Sequence[Problem]]]:
    """The failed rows of one batch in the order of the file, and what is wrong with each."""
    grouped = groupby(problems.unpack(batch["problems"]), key=lambda problem: problem.row)
    groups = ((row, list(found)) for row, found in grouped)
    row, found = next(groups)
    for rows in reread_rows(reader, batch, last_row=batch["at_row"] + batch["rows"]):
        last = max(rows, default=0)
        while row <= last:
            if row in rows:
                yield rows[row], found
            row, found = next(groups, NO_MORE)
        if not found:
            return


def flatten_record(record: Record | UnreadableRow) -> Record | UnreadableRow:
    """A JSON object by its paths; one that cannot be split into paths becomes unreadable."""
    if not isinstance(record, Mapping):
        return record
    flat = flatten(record)
    if isinstance(flat, tuple):
        code, message = flat
        return UnreadableRow(0, 0, code, message, cells=(), raw=format_json(record))
    return {path: value for path, value in flat.items() if not isinstance(value, dict | list)}


def build_cells(
    layout: FailedRowsLayout, columns: Mapping[str, int], record: Record | UnreadableRow, found: Sequence[Problem]
) -> list[str]:
    """One failed row: its cells, then line, codes and messages. The text of an unreadable row follows the messages and
    its cells are empty: cut or filled up to fit the header, it could be sent back and be stored shifted. `columns` says
    where a heading is in the header."""
    codes = " ".join(dict.fromkeys(problem.code for problem in found))
    messages = "; ".join(
        f"{problem.column}: {problem.message}" if problem.column else problem.message for problem in found
    )
    if isinstance(record, UnreadableRow):
        cells, messages = [""] * len(layout.header), f"{messages}. The row as sent: {record.raw}"
    elif isinstance(record, Mapping):
        # The rows may have few of the header's many columns.
        cells = [""] * len(layout.header)
        for name in record.keys() & columns.keys():
            cells[columns[name]] = write_cell(layout, name, record[name])
    else:
        cells = list(record)
    return [*cells, str(found[0].line), codes, messages]


def write_cell(layout: FailedRowsLayout, heading: str, value: object) -> str:
    """A value of a JSON object as a cell. Texts were to be converted, so they stay; a number is written as the mapping
    would read it."""
    cell, write = format_cell(value, layout.separators.get(heading)), layout.writers.get(heading)
    return cell if write is None or not cell or isinstance(value, str) else write([cell])[0]
