"""Writes one record at once: the same checks and the same merge as for a row of a file, in one transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.declarations.types import load_resource
from app.formats.records import Batch, Dialect, Position
from app.imports.naming import IdScope
from app.imports.plan import Options, Plan
from app.imports.stages.upsert import prepare, stage, write
from app.imports.stages.validate import RowCheck
from app.mappings.columns import list_fields
from app.mappings.mapping import Mapping as FieldMapping
from app.problems import Problem
from app.runs.model import AccountId, new_run_id
from app.runtime import Runtime
from app.storage import records
from app.storage.access import accounts
from app.storage.merge import MergeTarget


@dataclass(frozen=True, slots=True)
class Written:
    """`created` is false for a record that was there; with `problems` nothing was written."""

    created: bool
    problems: Sequence[Problem] = ()


async def write_record(
    runtime: Runtime, account_id: AccountId, type: str, record: Mapping[str, object], options: Options
) -> Written:
    """`record` is a JSON object with its numbers as Decimal. It counts as an import of its own, accepted and done at
    once: an import that was accepted before leaves the record alone afterwards. Raises Refused("not_found") for the
    type."""
    async with runtime.database.read() as session:
        resource, declaration = await load_resource(session, account_id, type)
    plan = Plan(Dialect("jsonl"), (), list_fields(resource, FieldMapping()), declaration)
    run_id, limit = new_run_id(), runtime.settings.max_key_characters
    check = RowCheck(resource, plan, options, whose=IdScope(account_id, run_id), key_limit=limit)
    checked = await asyncio.to_thread(check.check, batch_of(record))
    async with runtime.database.transaction() as session:
        # Holds the account until the end: whatever is accepted later finds this written.
        seq = await accounts.next_seq(session, account_id)
        target = MergeTarget(account_id, type, run_id, seq, "overwrite", fixed=resource.fixed, flat=check.flat)
        prepared = prepare(checked, await records.now(session))
        await stage(session, prepared)
        outcome = await write(session, target, prepared, options)
    return Written(outcome.created > 0, outcome.problems)


def batch_of(record: Mapping[str, object]) -> Batch:
    return Batch(Position(), Position(0, 2, 1), last=True, records=[record], rows=[1], lines=[1])
