"""The item syncs of an account, and the page of one: how it is set, when it runs, and what came of it."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.connections.connection import find_names
from app.dashboard.render import render_page
from app.dashboard.script import write_curl
from app.dashboard.views.clock.schedules import describe_schedule
from app.dashboard.views.syncs.form import body_of_sync
from app.dashboard.views.syncs.lines import describe_settings, describe_sync
from app.dashboard.views.syncs.runs import OUTCOMES, describe_last, describe_run
from app.dashboard.visitor import MayReadSyncs
from app.runs.kinds import Kind
from app.runs.model import AccountId
from app.runs.status import RunQuery, Status, find_run, list_accepted, read_status
from app.schedules.stored import list_schedules
from app.storage.database import ReadSession
from app.syncs.stored import list_last_runs, load_sync
from app.syncs.stored import list_syncs as list_stored
from app.web.caller import OpenRuntime
from app.web.links import base_url

router = APIRouter(prefix="/app/syncs")
RUNS: Final = 20  # on the page of a sync


@router.get("")
async def show_syncs(request: Request, visitor: MayReadSyncs, runtime: OpenRuntime) -> Response:
    """Each with its last run and its next one."""
    async with runtime.database.read() as session:
        now = await runtime.now(session)
        stored = await list_stored(session, visitor.account_id)
        schedules = [each for each in await list_schedules(session, visitor.account_id) if each.kind == "sync"]
        runs = await list_last_runs(session, visitor.account_id)
        last = {sync_id: await read_status(session, run) for sync_id, run in runs.items()}
    lines = [
        describe_sync(
            each,
            [describe_schedule(one, now) for one in schedules if one.target == each.id],
            describe_run(last[each.id]) if each.id in last else None,
        )
        for each in stored
    ]
    base = base_url(request, runtime)
    return render_page(request, visitor, "syncs/list.html", lines=lines, base=base)


@router.get("/{sync_id}")
async def show_sync(request: Request, sync_id: str, visitor: MayReadSyncs, runtime: OpenRuntime) -> Response:
    """Its settings, schedules and runs, and the report of the last one."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        now = await runtime.now(session)
        sync = await load_sync(session, visitor.account_id, sync_id)
        connections = await find_names(session, visitor.account_id, [sync.declaration.connection_id])
        schedules = await list_schedules(session, visitor.account_id)
        query = RunQuery([Kind.SYNC], {"sync_id": sync.id})
        runs, more = await list_accepted(session, visitor.account_id, query, limit=RUNS)
        # Lists leave out the files.
        last = await load_run(session, visitor.account_id, runs[0].run.id, days) if runs else None
    base, own = base_url(request, runtime), f"/item-syncs/{sync.id}"
    mine = [each for each in schedules if each.kind == "sync" and each.target == sync.id]
    return render_page(
        request,
        visitor,
        "syncs/sync.html",
        sync=sync,
        is_connected=bool(connections),
        settings=describe_settings(sync),
        schedules=[describe_schedule(each, now) for each in mine],
        runs=[describe_run(each) for each in runs],
        more=more,
        last=describe_last(last) if last else None,
        outcomes=OUTCOMES,
        may_write=visitor.has_scope("syncs:write"),
        may_schedule=visitor.has_scope("schedules:write"),
        scripts={
            "Run it from a script": write_curl(base, f"{own}/runs", method="POST"),
            "Set it from a script": write_curl(base, own, method="PUT", body=body_of_sync(sync)),
        },
    )


async def load_run(session: ReadSession, account_id: AccountId, run_id: str, days: int) -> Status:
    return await read_status(session, await find_run(session, account_id, run_id, kind=Kind.SYNC, retention_days=days))
