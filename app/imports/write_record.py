"""Writes a single record at once, with the same checks and the same merge as a row of a file, in one transaction; or
deletes one."""

import asyncio
from collections import abc
from dataclasses import dataclass
from secrets import token_hex

from app.auth.identity import Identity, ensure_live
from app.declarations.types import load_key_forms, load_resource
from app.formats.records import Batch, Dialect, Position
from app.imports.checking.record_keys import IdScope
from app.imports.checking.row_checker import RowChecker
from app.imports.merging.batch_merge import merge_batch, prepare_batch, stage_batch
from app.imports.plan import Options, Plan
from app.mappings.columns import list_fields
from app.mappings.mapping import Mapping
from app.problems import Problem
from app.resources.schema import Resource
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage import records
from app.storage.access import accounts
from app.storage.journal.writer import tell_journal
from app.storage.merge import MergeTarget

SEED_BYTES = 12  # of what a new id is generated from, see IdScope


@dataclass(frozen=True, slots=True)
class WriteResult:
    """`created` is false for a record that existed. With `problems` nothing was written."""

    created: bool
    problems: abc.Sequence[Problem] = ()


async def write_record(
    runtime: Runtime,
    account_id: AccountId,
    type: str,
    record: abc.Mapping[str, object],
    options: Options,
    *,
    sender: Identity,
) -> WriteResult:
    """Creates or updates the record. `record` is a JSON object with its numbers as Decimal.

    The write takes its place in the account's order of writes, although it belongs to no run: an import that was
    accepted before it leaves the record alone afterwards. Raises Refused: not_found for the type,
    not_authenticated if `sender` was revoked meanwhile.
    """
    async with runtime.database.read() as session:
        resource, declaration = await load_resource(session, account_id, type)
        key_forms = await load_key_forms(session, account_id, resource.named_types)
    plan = Plan(Dialect("jsonl"), (), list_fields(resource, Mapping()), declaration)
    checker = RowChecker(
        resource,
        plan,
        options,
        id_scope=IdScope(account_id, seed=token_hex(SEED_BYTES)),
        key_limit=runtime.settings.max_key_characters,
        record_limit=runtime.limits.record_bytes,
    )
    checked = await asyncio.to_thread(checker.check_batch, build_batch(record))
    async with runtime.database.transaction() as session:
        await ensure_live(session, sender)
        for key in checked.keys:
            await records.wait_briefly(session, account_id, type, key)  # before it holds up others
        # Holds the account until the end: whatever is accepted later finds this record written.
        seq = await accounts.next_seq(session, account_id)
        await tell_journal(session, sent_by=sender.id, kept=runtime.settings.undo_days > 0)
        target = build_target(runtime, account_id, resource, seq=seq, flat=checker.is_flat)
        prepared = prepare_batch(checked, await records.now(session), target.type, key_forms)
        await stage_batch(session, prepared)
        outcome = await merge_batch(session, target, prepared, options)
    return WriteResult(outcome.created > 0, outcome.problems)


async def delete_record(
    runtime: Runtime, account_id: AccountId, type: str, keys: abc.Iterable[str], *, sender: Identity
) -> bool:
    """Deletes the first of the records with one of these keys, and says whether there was one. Raises
    Refused("not_authenticated") if `sender` was revoked meanwhile."""
    async with runtime.database.transaction() as session:
        await ensure_live(session, sender)
        await tell_journal(session, sent_by=sender.id, kept=runtime.settings.undo_days > 0)
        for key in keys:
            await records.wait_briefly(session, account_id, type, key)
            if await records.delete(session, account_id, type, key):
                return True
    return False


def build_target(runtime: Runtime, account_id: AccountId, resource: Resource, *, seq: int, flat: bool) -> MergeTarget:
    return MergeTarget(
        account_id=account_id,
        type=resource.name,
        run_id=None,
        run_seq=seq,
        mode="overwrite",
        fixed=resource.fixed,
        named_by=resource.named_by,
        flat=flat,
        record_bytes=runtime.limits.record_bytes,
    )


def build_batch(record: abc.Mapping[str, object]) -> Batch:
    """The record as the only row of a file."""
    return Batch(Position(), Position(0, 2, 1), last=True, records=[record], rows=[1], lines=[1])
