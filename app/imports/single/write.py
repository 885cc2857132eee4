"""Writes a single record at once, with the same checks and the same merge as a row of a file, in one transaction; or
deletes one."""

import asyncio
from collections import abc
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Final

from app.auth.identity import Identity, ensure_live
from app.declarations.types import ensure_type, load_key_forms, load_resource
from app.errors import Refused
from app.formats.records import Batch, Dialect, Position
from app.imports.checking.record_keys import IdScope
from app.imports.checking.row_checker import RowChecker
from app.imports.merging.batch_merge import merge_batch, prepare_batch, stage_batch
from app.imports.plan import Options, Plan
from app.imports.rows import BatchOutcome, CheckedBatch
from app.mappings.columns import list_fields
from app.mappings.mapping import Mapping
from app.problems import Problem
from app.quotas.stored import ensure_record
from app.resources.schema import Resource
from app.resources.stored_keys import KeyForms
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage import records
from app.storage.access import accounts
from app.storage.audit.noting import note_deed
from app.storage.database import Session
from app.storage.journal.writer import tell_journal
from app.storage.merge import MergeTarget, Mode

RECORD_CHANGED: Final = "The record is not the one that `If-Match` names any more"
NO_CONSTANTS: Final[abc.Mapping[str, str]] = {}
SEED_BYTES = 12  # of what a new id is generated from, see IdScope


@dataclass(frozen=True, slots=True)
class PreparedWrite:
    """A record that is checked, and that may hold no list or object if it is `flat`."""

    account_id: AccountId
    resource: Resource
    options: Options
    checked: CheckedBatch
    flat: bool


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
    write = await prepare_write(runtime, account_id, (resource, declaration), record, options)
    async with runtime.database.transaction() as session:
        await begin_write(runtime, session, account_id, write.checked.keys, type=type, sender=sender)
        outcome = await merge_write(runtime, session, write, key_forms, mode="overwrite")
    return WriteResult(outcome.created > 0, outcome.problems)


async def prepare_write(
    runtime: Runtime,
    account_id: AccountId,
    declared: tuple[Resource, object | None],
    record: abc.Mapping[str, object],
    options: Options,
    constants: abc.Mapping[str, str] = NO_CONSTANTS,
) -> PreparedWrite:
    """Checks the record as the only row of a file. `declared`: its type, and what the account has declared of it.
    `constants`: field -> JSON text that the record gets besides."""
    resource, declaration = declared
    plan = Plan(Dialect("jsonl"), (), list_fields(resource, Mapping()), declaration, dict(constants))
    checker = RowChecker(
        resource,
        plan,
        options,
        id_scope=IdScope(account_id, seed=token_hex(SEED_BYTES)),
        key_limit=runtime.settings.max_key_characters,
        record_limit=runtime.limits.record_bytes,
    )
    checked = await asyncio.to_thread(checker.check_batch, build_batch(record))
    return PreparedWrite(account_id, resource, options, checked, checker.is_flat)


async def begin_write(
    runtime: Runtime,
    session: Session,
    account_id: AccountId,
    keys: abc.Iterable[str],
    *,
    type: str,
    sender: Identity,
) -> None:
    """Locks the records with these keys, and tells the journal who writes. Raises Refused("not_authenticated")."""
    await ensure_live(session, sender)
    await tell_journal(session, sent_by=sender.id, kept=runtime.settings.undo_days > 0)
    for key in keys:
        await records.wait_briefly(session, account_id, type, key)  # before it holds up others


async def merge_write(
    runtime: Runtime, session: Session, write: PreparedWrite, key_forms: abc.Mapping[str, KeyForms], *, mode: Mode
) -> BatchOutcome:
    """Holds the account until the end of the transaction: whatever is accepted later finds this record written. Raises
    Refused: not_authenticated, quota_reached, not_found for the type."""
    seq = await accounts.next_seq(session, write.account_id)
    await ensure_type(session, write.account_id, write.resource.name)  # somebody may have deleted it meanwhile
    target = build_target(runtime, write, seq=seq, mode=mode)
    prepared = prepare_batch(write.checked, await records.now(session), target.type, key_forms)
    await stage_batch(session, prepared)
    outcome = await merge_batch(session, target, prepared, write.options)
    if outcome.created:
        await ensure_record(session, write.account_id)
    if outcome.created or outcome.updated:
        action = "record.created" if outcome.created else "record.changed"
        await note_deed(session, write.account_id, action, write.checked.keys[0], target.type)
    return outcome


async def delete_record(
    runtime: Runtime,
    account_id: AccountId,
    type: str,
    keys: abc.Iterable[str],
    *,
    sender: Identity,
    is_current: abc.Callable[[datetime], bool] = lambda _: True,
) -> bool:
    """Deletes the first of the records with one of these keys, and says whether there was one. `is_current` judges when
    it was changed last. Raises Refused: not_authenticated if `sender` was revoked meanwhile, record_changed."""
    async with runtime.database.transaction() as session:
        for key in keys:
            await begin_write(runtime, session, account_id, [key], type=type, sender=sender)
            changed_at = await records.find_change(session, account_id, type, key)
            if changed_at is None:
                continue
            if not is_current(changed_at):
                raise Refused("record_changed", RECORD_CHANGED)
            await records.delete(session, account_id, type, key)
            await note_deed(session, account_id, "record.deleted", key, type)
            return True
    return False


def build_target(runtime: Runtime, write: PreparedWrite, *, seq: int, mode: Mode) -> MergeTarget:
    return MergeTarget(
        account_id=write.account_id,
        type=write.resource.name,
        run_id=None,
        run_seq=seq,
        mode=mode,
        fixed=write.resource.fixed,
        named_by=write.resource.named_by,
        flat=write.flat,
        record_bytes=runtime.limits.record_bytes,
    )


def build_batch(record: abc.Mapping[str, object]) -> Batch:
    """The record as the only row of a file."""
    return Batch(Position(), Position(0, 2, 1), last=True, records=[record], rows=[1], lines=[1])
