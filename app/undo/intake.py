"""Accepts an undo, or tells what it would do."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from app.auth.identity import Identity, keep_answer
from app.declarations.types import compare, load_resource
from app.errors import Refused, describe
from app.runs.acceptance import accept_run, announce_run
from app.runs.changes.undoable import UNDOABLE, explain_not_undoable
from app.runs.kinds import KINDS, Kind, Step
from app.runs.model import Relation, Run, new_run_id, run_from
from app.runtime import Runtime
from app.storage import runs
from app.storage.access import accounts
from app.storage.applying.closing import CATALOGUE_TYPES
from app.storage.database import Session
from app.storage.journal import undoing
from app.storage.journal.marks import settle_undone
from app.storage.journal.undoing import LeftAlone, Undoing

Opening = AbstractAsyncContextManager[Session]

UNDOES: Final = "undoes"  # the member of the run's options that has the id of its parent, which may be deleted
DECLARED: Final = "declared"  # the member that has the declaration of the type when the records were written
TYPES: Final = "types"  # the member of the run's options that names the types whose records it may change
NOTHING: Final = "The {kind} has changed no record, so there is nothing to undo"
REDECLARED: Final = (
    'The declaration of type "{type}" has changed since, and the earlier records may not fit it. '
    "Declare the type as it was, then undo again. {complaints}"
)
MOST_TOLD: Final = 100  # records that are left alone, in an answer
LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What an undo would do at this moment, in records. `same` are those that are as they were before already.
    `examples` are the first of those that it would leave alone."""

    total: int
    removed: int
    restored: int
    put_back: int
    same: int
    left_alone: int
    examples: Sequence[LeftAlone]


async def preview_undo(runtime: Runtime, run: Run) -> UndoPreview:
    """Looks at every record that the run has changed: 600,000 take some seconds, so call it in the account's turn.
    Raises Refused("not_undoable")."""
    ensure_undoable(runtime, run)
    counts = dict.fromkeys(("total", "removed", "restored", "put_back", "same", "left_alone"), 0)
    examples: list[LeftAlone] = []
    async with runtime.database.transaction() as session:
        await undoing.look_up_only(session)
        async for piece in undoing.judge_pieces(session, Undoing(run.account_id, run.id)):
            for name in ("total", "removed", "restored", "put_back", "same"):
                counts[name] += getattr(piece, name)
            counts["left_alone"] += len(piece.left_alone)
            examples += piece.left_alone[: MOST_TOLD - len(examples)]
            await asyncio.sleep(0)
    ensure_any(run, counts["total"])
    return UndoPreview(**counts, examples=examples)


async def submit_undo(
    runtime: Runtime, opening: Opening, parent: Run, *, sender: Identity | None, request_id: str = ""
) -> Run:
    """Accepts the undo of a run that has ended; one that has begun or is done already is returned as it is. `opening`
    is a transaction in the name of the sender. Raises Refused: import_not_ended, not_undoable, queue_full."""
    async with opening as session:
        await accounts.lock(session, parent.account_id)
        parent = await read_again(session, parent)
        earlier = await find_earlier(session, parent)
        run = earlier or await store_undo(session, runtime, parent, sender, request_id)
        await keep_answer(session, sender, [run])
    return run if earlier else await announce_run(runtime, run)


async def read_again(session: Session, run: Run) -> Run:
    """Raises Refused("not_found")."""
    row = await runs.get(session, run.account_id, run.id)
    if row is None:
        raise Refused("not_found", f"There is no {KINDS[run.kind].word} with this id")
    return run_from(row)


async def find_earlier(session: Session, parent: Run) -> Run | None:
    """The undo of the run, if it is still kept."""
    if parent.undone_by is None:
        return None
    row = await runs.get(session, parent.account_id, parent.undone_by, whole=False)
    return None if row is None else run_from(row)


async def store_undo(session: Session, runtime: Runtime, parent: Run, sender: Identity | None, request_id: str) -> Run:
    ensure_undoable(runtime, parent)
    total = await undoing.count_changes(session, parent.id)
    ensure_any(parent, total)
    declared = parent.options.get(DECLARED) if parent.kind is Kind.UNDO else parent.plan.get("declaration")
    if parent.kind is not Kind.SYNC:
        await ensure_fits(session, parent, declared)
    values = {
        "id": new_run_id(),
        "parent_id": parent.id,
        "relation": Relation.UNDO,
        "name": f"Undo of {parent.name or parent.file_name or parent.type}"[:LONGEST_NAME].rstrip(),
        "type": parent.type,
        "origin": "native",
        "request_id": request_id,
        "created_by": None if sender is None else sender.id,
        "webhook_id": parent.webhook_id,
        "options": {UNDOABLE: True, UNDOES: parent.id, TYPES: list_types(parent), DECLARED: declared},
        "plan": {},
        "file_bytes": 0,
        "file_sha256": "",
        "total": total,
    }
    run = await accept_run(session, runtime, parent.account_id, Kind.UNDO, Step.WRITE, values)
    await settle_undone(session, run.id)
    return run


async def ensure_fits(session: Session, parent: Run, declared: object | None) -> None:
    """Records that were written under a declaration may contradict a later one. Raises Refused("not_undoable")."""
    resource, _ = await load_resource(session, parent.account_id, parent.type)
    complaints = await asyncio.to_thread(compare, parent.type, declared, resource)
    if complaints:
        raise Refused("not_undoable", REDECLARED.format(type=parent.type, complaints=describe(complaints)))


def list_types(parent: Run) -> Sequence[str]:
    """The types whose records the run may have changed."""
    if parent.kind is Kind.SYNC:
        return CATALOGUE_TYPES
    return parent.options[TYPES] if parent.kind is Kind.UNDO else [parent.type]


def ensure_undoable(runtime: Runtime, run: Run) -> None:
    """Raises Refused: import_not_ended, not_undoable."""
    word = KINDS[run.kind].word
    if not run.done:
        raise Refused("import_not_ended", f"Only a run that has ended can be undone, and this {word} is {run.state}")
    reason = explain_not_undoable(run, runtime.settings.undo_days)
    if reason:
        raise Refused("not_undoable", reason)


def ensure_any(run: Run, total: int) -> None:
    """Raises Refused("not_undoable")."""
    if not total:
        raise Refused("not_undoable", NOTHING.format(kind=KINDS[run.kind].word))
