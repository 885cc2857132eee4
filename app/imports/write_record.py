"""Writes a single record at once, with the same checks and the same merge as a row of a file, in one transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.declarations.types import load_resource
from app.formats.records import Batch, Dialect, Position
from app.imports.checking.record_keys import IdScope
from app.imports.checking.row_checker import RowChecker
from app.imports.merging.batch_merge import merge_batch, prepare_batch, stage_batch
from app.imports.plan import Options, Plan
from app.mappings.columns import list_fields
from app.mappings.mapping import Mapping as FieldMapping
from app.problems import Problem
from app.runs.model import AccountId, new_run_id
from app.runtime import Runtime
from app.storage import records
from app.storage.access import accounts
from app.storage.merge import MergeTarget


@dataclass(frozen=True, slots=True)
class WriteResult:
    """`created` is false for a record that existed. With `problems` nothing was written."""

    created: bool
    problems: Sequence[Problem] = ()


async def write_record(
    runtime: Runtime, account_id: AccountId, type: str, record: Mapping[str, object], options: Options
) -> WriteResult:
    """`record` is a JSON object with its numbers as Decimal. Towards imports it counts as one of their number: those
    accepted before it leave the record alone from now on. Raises Refused("not_found") for the type."""
    async with runtime.database.read() as session:
        resource, declaration = await load_resource(session, account_id, type)
    plan = Plan(Dialect("jsonl"), (), list_fields(resource, FieldMapping()), declaration)
    run_id, key_limit = new_run_id(), runtime.settings.max_key_characters
    checker = RowChecker(resource, plan, options, id_scope=IdScope(account_id, run_id), key_limit=key_limit)
    checked = await asyncio.to_thread(checker.check_batch, build_batch(record))
    async with runtime.database.transaction() as session:
        # Holds the account until the end: whatever is accepted later finds this record written.
        seq = await accounts.next_seq(session, account_id)
        target = MergeTarget(account_id, type, run_id, seq, "overwrite", fixed=resource.fixed, flat=checker.is_flat)
        prepared = prepare_batch(checked, await records.now(session))
        await stage_batch(session, prepared)
        outcome = await merge_batch(session, target, prepared, options)
    return WriteResult(outcome.created > 0, outcome.problems)


def build_batch(record: Mapping[str, object]) -> Batch:
    return Batch(Position(), Position(0, 2, 1), last=True, records=[record], rows=[1], lines=[1])
