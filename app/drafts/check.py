"""Checks the beginning of a draft's file as its import would, and writes nothing."""

import asyncio
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

import msgspec

from app.declarations.types import load_resource
from app.drafts.draft import Draft
from app.drafts.file import read_head
from app.drafts.start import load_chosen_mapping
from app.formats import open_reader, refuse_data_without_heading
from app.imports.checking.row_checker import RowChecker
from app.imports.examine import settle_columns, warn_of
from app.imports.plan import Plan
from app.imports.preview import ANYBODY, MOST_ROWS, sum_up
from app.imports.rows import CheckedBatch
from app.imports.submissions.from_connection import build_options, read_wanted
from app.mappings.declaring.fitting import fit_requested
from app.mappings.mapping import Mapping as ColumnMapping
from app.resources.schema import Resource
from app.runs.summary import RunWarning
from app.runtime import Runtime

SHOWN: Final = 3  # records as they would be stored


@dataclass(frozen=True, slots=True)
class WouldBeRecord:
    """A record as it would be stored: the line of its row, its key, "" if the service would make one, and its fields
    as JSON text."""

    line: int
    key: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DraftCheck:
    """What the first rows of a file would come to. `problems` are groups as an import has them; `incomplete` the same
    for rows that can only change a record which is there already."""

    rows: int  # that were checked
    whole: bool  # whether these are all rows of the file
    failed: int
    problems: Sequence[Mapping[str, Any]]
    incomplete: Sequence[Mapping[str, Any]]
    warnings: Sequence[str]
    records: Sequence[WouldBeRecord]


async def check_draft(runtime: Runtime, draft: Draft) -> DraftCheck | None:
    """Reads and checks at most MOST_ROWS rows, in the account's turn; None if nothing of the file is here. Raises
    Refused: invalid (columns, mapping, options), not_found (the type), gone, unreadable_file, too_many_reads."""
    if draft.blob is None:
        return None
    async with runtime.heavy_reads.turn(draft.account_id):
        async with runtime.database.read() as session:
            mapping = await load_chosen_mapping(session, draft)
            resource, _ = await load_resource(session, draft.account_id, draft.type)
        return await asyncio.to_thread(check_beginning, runtime, draft, mapping, resource)


def check_beginning(runtime: Runtime, draft: Draft, mapping: ColumnMapping, resource: Resource) -> DraftCheck:
    wanted = read_wanted({"path": "", **draft.choices}, mapping)
    options, mapping = build_options(wanted), fit_requested(mapping, resource)
    head = read_head(runtime, draft, wanted.encoding)
    dialect = head.find_dialect(wanted.format, wanted.delimiter)
    dialect = replace(dialect, columns=mapping.header, has_header=mapping.has_header)
    reader = open_reader(io.BytesIO(head.data), dialect, runtime.limits)
    found = settle_columns(reader, dialect, resource, mapping, options)
    refuse_data_without_heading(reader, known=[column.index for column in found.columns])
    batch = reader.read(reader.first, max_rows=MOST_ROWS, max_bytes=max(1, len(head.data)))
    plan = Plan(dialect, reader.header, found.columns, None, mapping.constants, mapping, found.ignored)
    checker = RowChecker(
        resource,
        plan,
        options,
        id_scope=ANYBODY,
        key_limit=runtime.settings.max_key_characters,
        record_limit=runtime.limits.record_bytes,
    )
    warned = [warn_of(column, mapping) for column in found.warned]
    checked, whole = checker.check_batch(batch), head.whole and batch.last
    return sum_up_check(checked, warned, resource, plan, whole=whole)


def sum_up_check(
    checked: CheckedBatch, warned: Sequence[RunWarning], resource: Resource, plan: Plan, *, whole: bool
) -> DraftCheck:
    incomplete = chain.from_iterable(
        problems for index, problems in checked.incomplete.items() if index not in checked.must_exist
    )
    return DraftCheck(
        rows=checked.end.row,
        whole=whole,
        failed=checked.failed,
        problems=sum_up(checked.problems, resource, plan),
        incomplete=sum_up(incomplete, resource, plan),
        warnings=[each.told for each in (*warned, *checked.warnings)],
        records=[show_record(checked, index) for index in range(min(SHOWN, len(checked.rows)))],
    )


def show_record(checked: CheckedBatch, index: int) -> WouldBeRecord:
    raw = msgspec.json.decode(checked.data[index], type=dict[str, msgspec.Raw])
    fields = {name: bytes(value).decode() for name, value in raw.items()}
    for column in checked.references:
        if (cell := column.cells[index]) is not None:
            fields[column.field] = cell
    return WouldBeRecord(checked.lines[index], checked.caller_key(checked.rows[index]), fields)
