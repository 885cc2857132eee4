"""Reads a run as its page shows it, for the page and for its stream."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.connections.connection import find_names
from app.dashboard.live.page import Moment
from app.dashboard.render import render_block
from app.dashboard.views.exports.outcome import list_connection_ids
from app.dashboard.views.runs.actions import actions_of
from app.dashboard.views.runs.changes import ChangeView, show_changes
from app.dashboard.views.runs.run import RunView, view_run
from app.dashboard.visitor import Visitor
from app.errors import Refused
from app.imports.row_files.taken_rows import load_taken
from app.imports.staged.changes import is_planned, sample_changes
from app.runs.changes.undoable import find_undoable_until, scopes_to_undo
from app.runs.model import Run
from app.runs.overview.makers import find_makers
from app.runs.states import HELD, State
from app.runs.status import find_run, read_status
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.web.runs.reading import visible_kinds
from app.web.server.readiness import check_worker_there

TEMPLATE: Final = "run.html"
SHOWN_CHANGES: Final = 20
REGIONS: Final = (
    "badge",
    "actions",
    "now",
    "state",
    "counts",
    "outcome",
    "groups",
    "changes",
    "about",
)  # blocks, which are regions, too


@dataclass(frozen=True, slots=True)
class LiveRun:
    """The page of one run."""

    runtime: Runtime
    visitor: Visitor
    run_id: str

    async def read(self) -> Moment:
        """Raises Refused: not_found, gone, not_allowed."""
        view = await load_run_view(self.runtime, self.visitor, self.run_id)
        context = run_context(self.runtime, view)
        regions = {name: render_block(TEMPLATE, name, **context) for name in REGIONS}
        return Moment(regions, moves=view.run.state not in HELD, ended=view.run.done)


def run_context(runtime: Runtime, view: RunView) -> dict[str, Any]:
    """What all blocks of the page need."""
    return {"view": view, "actions": list(actions_of(view)), "plan_hours": runtime.settings.plan_hours}


async def load_run_view(runtime: Runtime, visitor: Visitor, run_id: str) -> RunView:
    """Raises Refused: not_found, gone, not_allowed."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await find_visible(session, runtime, visitor, run_id)
        status = await read_status(session, run)
        makers = await find_makers(session, visitor.account_id, [run])
        names = await find_names(session, visitor.account_id, list_connection_ids(run))
    waits = run.state is State.QUEUED or (run.state is State.RUNNING and run.waiting_for is not None)
    no_worker = await check_worker_there(runtime) if waits else None
    maker = makers.get(run.created_by or "")
    view = view_run(status, visitor, maker=maker, no_worker=no_worker or "", retention_days=days, connections=names)
    until = find_undoable_until(run, runtime.settings.undo_days)
    may_undo = all(map(visitor.has_scope, scopes_to_undo(run)))
    changes = await load_sample(runtime, visitor, run)
    elsewhere = (await load_taken(runtime, run.id)).find_all(run.failed) if view.may_retry else ()
    if elsewhere:
        view = replace(view, may_retry=False, may_fix=False, elsewhere=elsewhere)
    return replace(view, undoable_until=until if may_undo else None, changes=changes)


async def load_sample(runtime: Runtime, visitor: Visitor, run: Run) -> Sequence[ChangeView]:
    """Some of what a run would change; nothing for a run that does not wait with it."""
    if not (visitor.has_scope("records:read") and is_planned(run)):
        return ()
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        whole = await find_run(session, visitor.account_id, run.id, retention_days=days)
    try:
        return show_changes(await sample_changes(runtime, whole, most=SHOWN_CHANGES))
    except Refused:  # somebody has decided since it was read
        return ()


async def find_visible(
    session: ReadSession, runtime: Runtime, visitor: Visitor, run_id: str, *, whole: bool = False
) -> Run:
    """A run of any kind that the visitor may see. Raises Refused: not_found, gone, not_allowed."""
    days = runtime.settings.retention_days
    run = await find_run(session, visitor.account_id, run_id, kind=None, retention_days=days, whole=whole)
    visible_kinds(visitor.caller, run.kind)
    return run
