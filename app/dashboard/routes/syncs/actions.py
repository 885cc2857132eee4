"""What can be done with an item sync: run it, test it step by step, delete it."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import redirect, render_page
from app.dashboard.visitor import MayWriteSyncs, Visitor
from app.errors import Refused
from app.runtime import Runtime
from app.schedules.stored import list_of_syncs
from app.syncs.check import check_sync
from app.syncs.intake import SyncRequest, submit_sync
from app.syncs.stored import StoredSync, delete_sync, load_sync
from app.web.caller import OpenRuntime, write_as
from app.web.declared.item_syncs import parse_run
from app.web.requests import request_id

router = APIRouter(prefix="/app/syncs/{sync_id}")
# What is wrong with the connection of a sync that is there.
OF_CONNECTION: Final = ("invalid", "not_found", "secrets_locked")


@router.post("/run")
async def run_now(request: Request, sync_id: str, visitor: MayWriteSyncs, runtime: OpenRuntime) -> Response:
    sync = await load(runtime, visitor, sync_id)
    parse_run(visitor.caller, sync, {})
    wanted = SyncRequest(
        account_id=visitor.account_id,
        sync_id=sync_id,
        created_by=visitor.caller.id,
        origin="app",
        mode=sync.declaration.settings.mode,  # which the visitor may run, whatever becomes of it
        request_id=request_id(request),
        sender=visitor.caller.identity,
    )
    try:
        run = await submit_sync(runtime, wanted)
    except Refused as refused:
        return lead_back(sync, refused)
    return redirect(f"/app/runs/{run.id}", "The item sync has started.")


@router.post("/test")
async def test(request: Request, sync_id: str, visitor: MayWriteSyncs, runtime: OpenRuntime) -> Response:
    """Takes the steps that a run takes to find its files, and changes nothing. It may take a minute."""
    sync = await load(runtime, visitor, sync_id)
    try:
        check = await check_sync(runtime, visitor.account_id, sync)
    except Refused as refused:
        return lead_back(sync, refused)
    return render_page(request, visitor, "syncs/test.html", sync=sync, check=check)


def lead_back(sync: StoredSync, refused: Refused) -> Response:
    """To the page of the sync, which says what is wrong and where it is mended. Raises what is not about the sync."""
    if refused.code not in OF_CONNECTION:
        raise refused
    return redirect(f"/app/syncs/{sync.id}", f"{refused.detail.rstrip('.')}.")


async def load(runtime: Runtime, visitor: Visitor, sync_id: str) -> StoredSync:
    async with runtime.database.read() as session:
        return await load_sync(session, visitor.account_id, sync_id)


@router.get("/delete")
async def ask(request: Request, sync_id: str, visitor: MayWriteSyncs, runtime: OpenRuntime) -> Response:
    """What goes with it, and what stays."""
    async with runtime.database.read() as session:
        sync = await load_sync(session, visitor.account_id, sync_id)
        schedules = (await list_of_syncs(session, visitor.account_id)).get(sync_id, ())
    return render_page(request, visitor, "syncs/delete.html", sync=sync, schedules=len(schedules))


@router.post("/delete")
async def delete(sync_id: str, visitor: MayWriteSyncs, runtime: OpenRuntime) -> Response:
    async with write_as(visitor.caller, runtime) as session:
        await delete_sync(session, visitor.account_id, sync_id)
    return redirect("/app/syncs", "Item sync deleted.")
