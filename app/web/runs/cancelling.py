"""Cancels a run for a caller, and takes back what it has written if that is wanted."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from app.auth.caller import Caller
from app.errors import Refused
from app.runs.changes.undoable import explain_not_undoable
from app.runs.holding.cancellation import cancel_run
from app.runs.model import Run
from app.runs.status import find_run
from app.runtime import Runtime
from app.undo.intake import submit_undo
from app.web.caller import ensure_scope, write_as

UNDO_SCOPE: Final = "imports:delete"  # what is taken back may be records that the run has created
NOT_CANCELLED: Final = "{reason}. Nothing was cancelled: send it without `undo`"


async def cancel_for(caller: Caller, runtime: Runtime, run: Run, *, undo: bool, request_id: str) -> Run:
    """The cancelled run, as it is then. With `undo` an undo of what it has written is started, too: sent again after an
    answer that was lost it does what is left to do. Raises Refused: already_ended, not_undoable, queue_full (the run is
    cancelled by then), not_allowed."""
    if undo:
        ensure_scope(caller, UNDO_SCOPE)
        if reason := find_obstacle(runtime, run):
            raise Refused("not_undoable", NOT_CANCELLED.format(reason=reason))
    cancelled = await cancel_run(runtime, write_as(caller, runtime), run)
    if not (undo and (cancelled.created or cancelled.updated or cancelled.removed)):
        return cancelled
    opening, sender = write_as(caller, runtime), caller.identity
    await submit_undo(runtime, opening, cancelled, sender=sender, request_id=request_id)
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        return await find_run(session, run.account_id, run.id, kind=run.kind, retention_days=days, whole=False)


def find_obstacle(runtime: Runtime, run: Run) -> str:
    """Why what the run writes could not be taken back if it ended now; "" if it could."""
    ended = replace(run, finished_at=run.finished_at or datetime.now(UTC))
    return explain_not_undoable(ended, runtime.settings.undo_days)
