"""Writes the failed rows of an import as CSV, each followed by what is wrong with it; once corrected it can be sent."""

import asyncio
import codecs
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import BinaryIO

from app.declarations.types import build_resource
from app.formats import open_reader
from app.formats.records import Reader, Record, UnreadableRow
from app.imports.plan import Plan, load_plan
from app.imports.results.csv_cells import format_cell, format_json, format_line
from app.imports.results.reread import (
    CommittedBatch,
    group_problems,
    load_batches,
    open_import_file,
    reread_rows,
)
from app.imports.rows import REPORT_COLUMNS
from app.problems import Problem
from app.resources.paths import flatten
from app.resources.schema import Resource
from app.runs.model import Run
from app.runtime import Runtime


@dataclass(frozen=True, slots=True)
class FailedRowsLayout:
    """The shape of the file. `separators`: heading -> what separates the items of a list. `nested`: the rows are JSON
    objects, and there is a column for the path of every inner member."""

    header: Sequence[str]
    delimiter: str
    separators: Mapping[str, str]
    nested: bool = False


async def open_failed_rows(runtime: Runtime, run: Run) -> AsyncIterator[bytes]:
    """The file, a batch at a time, so that memory does not grow with it. Raises Refused("gone") before the first
    byte."""
    return write_failed_rows(runtime, run, await open_import_file(runtime, run))


async def write_failed_rows(runtime: Runtime, run: Run, file: BinaryIO) -> AsyncIterator[bytes]:
    with closing(file):
        plan = load_plan(run)
        layout = build_layout(plan, build_resource(run.type, plan.declaration))
        # An unreadable row is written whole, so that it can be corrected.
        limits = replace(runtime.limits, raw_characters=None)
        reader = await asyncio.to_thread(open_reader, file, plan.dialect, limits)
        if layout.nested:
            layout = await add_paths(runtime, run, reader, layout)
        names = [name for name in layout.header if name not in REPORT_COLUMNS]
        # The mark wins over the `encoding` that the first file was sent with, and spreadsheets need it to see UTF-8.
        yield codecs.BOM_UTF8 + format_line([*names, *REPORT_COLUMNS], layout.delimiter)
        async for batch in load_batches(runtime, run, only_with_problems=True):
            yield await asyncio.to_thread(format_batch, reader, batch, layout)


def build_layout(plan: Plan, resource: Resource) -> FailedRowsLayout:
    """JSON Lines have no header: there the columns are the fields of the type."""
    fields = [(column.heading, resource.field(column.field)) for column in plan.columns]
    separators = {heading: field.separator for heading, field in fields if field and field.type == "list"}
    header = plan.header or tuple(heading for heading, _ in fields)
    nested = bool(resource.families) and plan.dialect.format == "jsonl"
    return FailedRowsLayout(header, plan.dialect.delimiter, separators, nested)


async def add_paths(runtime: Runtime, run: Run, reader: Reader, layout: FailedRowsLayout) -> FailedRowsLayout:
    """The layout with a column for every path in a failed row: only the rows of nested JSON Lines know them."""
    header = dict.fromkeys(layout.header)
    async for batch in load_batches(runtime, run, only_with_problems=True):
        header |= dict.fromkeys(await asyncio.to_thread(find_paths, reader, batch))
    return replace(layout, header=tuple(header)[: runtime.limits.columns])


def find_paths(reader: Reader, batch: CommittedBatch) -> list[str]:
    """The paths of everything in the failed rows of one batch. Blocking."""
    paths: dict[str, None] = {}
    for record, _ in reread_failed_rows(reader, batch):
        flat = flatten_record(record)
        paths |= dict.fromkeys(flat if isinstance(flat, Mapping) else ())
    return list(paths)


def format_batch(reader: Reader, batch: CommittedBatch, layout: FailedRowsLayout) -> bytes:
    """The failed rows of one batch as lines of CSV. Blocking."""
    return b"".join(
        format_line(
            build_cells(layout, flatten_record(record) if layout.nested else record, problems), layout.delimiter
        )
        for record, problems in reread_failed_rows(reader, batch)
    )


def reread_failed_rows(
    reader: Reader, batch: CommittedBatch
) -> Iterator[tuple[Record | UnreadableRow, Sequence[Problem]]]:
    """The failed rows of one batch in the order of the file, and what is wrong with each."""
    problems_of = group_problems(batch)
    for rows in reread_rows(reader, batch, last_row=max(problems_of, default=0)):
        for row in sorted(rows.keys() & problems_of.keys()):
            yield rows[row], problems_of[row]


def flatten_record(record: Record | UnreadableRow) -> Record | UnreadableRow:
    """A JSON object by its paths; one that cannot be split into paths becomes unreadable."""
    if not isinstance(record, Mapping):
        return record
    flat = flatten(record)
    if isinstance(flat, tuple):
        code, message = flat
        return UnreadableRow(0, 0, code, message, cells=(), raw=format_json(record))
    return {path: value for path, value in flat.items() if not isinstance(value, dict | list)}


def build_cells(layout: FailedRowsLayout, record: Record | UnreadableRow, problems: Sequence[Problem]) -> list[str]:
    """One failed row: its cells, then line, codes and messages. The text of an unreadable row follows the messages and
    its cells are empty: cut or filled up to fit the header, it could be sent back and be stored shifted."""
    codes = " ".join(dict.fromkeys(problem.code for problem in problems))
    messages = "; ".join(
        f"{problem.column}: {problem.message}" if problem.column else problem.message for problem in problems
    )
    if isinstance(record, UnreadableRow):
        cells, messages = [""] * len(layout.header), f"{messages}. The row as sent: {record.raw}"
    elif isinstance(record, Mapping):
        cells = [format_cell(record.get(name), layout.separators.get(name)) for name in layout.header]
    else:
        cells = list(record)
    kept = [cell for name, cell in zip(layout.header, cells, strict=True) if name not in REPORT_COLUMNS]
    return [*kept, str(problems[0].line), codes, messages]
