"""Makes the shape that runs of every kind have in one list."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from fastapi import Request

from app.runs.changes.undoable import find_undoable_until
from app.runs.kinds import Kind
from app.runs.model import Run, list_interruptions
from app.runs.states import HELD, State
from app.runs.status import Status
from app.runtime import Runtime
from app.surfaces.native.wire.changes import UndoReport
from app.surfaces.native.wire.runs import (
    InterruptionItem,
    RunAddresses,
    RunItem,
    RunList,
    RunWarningItem,
    SyncReportItem,
)
from app.surfaces.native.wire.shape import Links
from app.web.links import base_url
from app.web.runs.waits import render_wait
from app.web.shapes import RunFailure, Source, render_family


def run_item(status: Status, *, base: str, retention_days: int, undo_days: int) -> RunItem:
    """The run as it is at this moment. What is not set is left out."""
    run = status.run
    optional = {
        "name": run.name,
        **describe_origin(status),
        "created_by": run.created_by,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "outcome": status.outcome,
        "eta_seconds": status.eta_seconds,
        "queue_position": status.queue_position,
        **describe_changes(run, undo_days),
        "written": run.at_row if run.kind is Kind.EXPORT else None,
        **render_wait(status),
        "failure": RunFailure(code=run.fail_code, detail=run.fail_detail or "") if run.fail_code else None,
        "plan": run.plan_number,
        "file_name": run.file_name,
        "source": None if run.source is None else Source(**run.source),
        "interruptions": list_interrupted(run) or None,
        "expires_at": run.finished_at + timedelta(days=retention_days) if run.finished_at else None,
    }
    return RunItem(
        id=run.id,
        kind=run.kind,
        type=run.type,
        status=run.state,
        step=run.step,
        origin=run.origin,
        created_at=run.created_at,
        total=run.total,
        **{name: getattr(run, name) for name in ("created", "updated", "unchanged", "skipped", "failed")},
        remaining=run.remaining,
        done=run.done,
        percent=status.percent,
        file_bytes=run.file_bytes,
        links=link_run(run, base),
        **{name: value for name, value in (optional | describe_sync(run)).items() if value is not None},
    )


def render_item(request: Request, runtime: Runtime, status: Status) -> RunItem:
    days, undo_days = runtime.settings.retention_days, runtime.settings.undo_days
    return run_item(status, base=base_url(request, runtime), retention_days=days, undo_days=undo_days)


def describe_origin(status: Status) -> dict[str, object]:
    """Which run it came of, and what it and those that came of it come to."""
    run = status.run
    return {"parent_id": run.parent_id, "relation": run.relation, "family": render_family(status.family)}


def list_interrupted(run: Run) -> list[InterruptionItem]:
    return [InterruptionItem(at=each.at, row=each.row, lost=each.lost) for each in list_interruptions(run)]


def describe_changes(run: Run, undo_days: int) -> dict[str, object]:
    """What it has removed, whether its changes are taken back, or could be; of an undo, what has come of it."""
    until = find_undoable_until(run, undo_days)
    return {
        "removed": run.removed,
        "undone_by": run.undone_by,
        "undoable_until": until,
        "undo": describe_undo(run),
    }


def describe_undo(run: Run) -> UndoReport | None:
    """What has come of an undo that is finished; None for other runs."""
    if run.kind is not Kind.UNDO or run.state is not State.FINISHED:
        return None
    removed = run.removed or 0
    return UndoReport(
        removed=removed,
        restored=run.updated - removed,
        put_back=run.created,
        same=run.unchanged,
        left_alone=run.skipped,
    )


def describe_sync(run: Run) -> dict[str, object]:
    """What only item syncs and undos have. Nothing of it is there for other kinds."""
    if run.kind not in (Kind.SYNC, Kind.UNDO):
        return {}
    return {
        "sync_id": run.sync_id,
        "report": None if run.report is None else SyncReportItem.model_validate(run.report),
        "warnings": [RunWarningItem.model_validate(trim_warning(each)) for each in run.warnings],
    }


def trim_warning(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty, and what only tells warnings of one code apart."""
    return {name: value for name, value in stored.items() if name != "subject" and value != []}


def link_run(run: Run, base: str) -> RunAddresses:
    own = f"{base}/runs/{run.id}"
    others = {"resume": f"{own}/resume"} if run.state in HELD else {}
    if not run.done:
        others["cancel"] = f"{own}/cancel"
    if run.kind not in (Kind.SYNC, Kind.UNDO):
        others["details"] = f"{base}/{run.kind}s/{run.id}"
    return RunAddresses(self=own, **others)


async def encode_runs(
    statuses: Sequence[Status], next_page: str | None, *, base: str, retention_days: int, undo_days: int
) -> bytes:
    """A list of runs as JSON. In a thread: 100 item syncs of 200 warnings each take a while."""
    links = Links() if next_page is None else Links(next=next_page)

    def encode() -> bytes:
        results = [run_item(each, base=base, retention_days=retention_days, undo_days=undo_days) for each in statuses]
        return RunList(links=links, results=results).encoded()

    return await asyncio.to_thread(encode)
