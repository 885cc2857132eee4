"""What webhooks are told when a run has ended or is held: an event, and what was true of the run at that moment."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.runs.kinds import Kind
from app.runs.model import Run
from app.runs.states import ENDED, HELD, State
from app.storage.database import Session
from app.storage.webhooks import deliveries

# State of a run -> the event that tells of it: every state that somebody may wait for.
EVENTS: Final[Mapping[State, str]] = {state: f"run.{state}" for state in State if state in ENDED | HELD}
LONGEST_DETAIL: Final = 2_000  # characters: a message stays small, and the run has the whole of it


async def tell_webhooks(session: Session, run: Run) -> Run:
    """Stores a message for each webhook of the account that is told of it, in the transaction that brings the run to
    its state. Returns the run."""
    data = msgspec.json.encode(describe_news(run)).decode()
    await deliveries.tell(
        session, run.account_id, run_id=run.id, event=EVENTS[run.state], data=data, webhook_id=run.webhook_id
    )
    return run


def describe_news(run: Run) -> dict[str, Any]:
    """The members are called as those of a run in GET /runs. No cell of a file is among them, and nothing that is not
    set."""
    counts = ("created", "updated", "unchanged", "skipped", "failed", "remaining", "removed")
    told = {
        "id": run.id,
        "kind": run.kind,
        "type": run.type,
        "status": run.state,
        "name": run.name,
        "fileName": run.file_name,
        "parentId": run.parent_id,
        "relation": run.relation,
        "createdBy": run.created_by,
        "createdAt": run.created_at,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
        "total": run.total,
        **{name: getattr(run, name) for name in counts},
        "written": run.at_row if run.kind is Kind.EXPORT else None,
        "failure": describe_failure(run),
    }
    return {member: value for member, value in told.items() if value is not None}


def describe_failure(run: Run) -> dict[str, str] | None:
    if run.fail_code is None:
        return None
    return {"code": run.fail_code, "detail": (run.fail_detail or "")[:LONGEST_DETAIL]}
