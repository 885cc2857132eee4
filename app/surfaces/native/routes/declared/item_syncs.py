"""Item syncs: the folders of items, filters and pictures that an account has read, and how."""

from fastapi import Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.schedules.stored import list_of_syncs
from app.storage.database import ReadSession
from app.surfaces.native import item_syncs, translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.declared.connections import ConnectionTest
from app.surfaces.native.wire.declared.item_syncs import ItemSync, ItemSyncList
from app.syncs import stored
from app.syncs.check import check_sync
from app.syncs.stored import StoredSync
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadConnections, MayReadSyncs, MayWriteSyncs, OpenRuntime, write_as
from app.web.declared.item_syncs import ITEM_SYNC_BODY, parse_declaration
from app.web.refusals import refusals

router = build_router("/item-syncs", "item syncs")


@router.get("", response_model=ItemSyncList, responses=refusals(401, 403, 503))
async def list_item_syncs(caller: MayReadSyncs, runtime: OpenRuntime) -> Response:
    """List the account's item syncs, ordered by name."""
    async with runtime.database.read() as session:
        found = await stored.list_syncs(session, caller.account_id)
        schedules = await list_of_syncs(session, caller.account_id)
        runs = await stored.list_last_runs(session, caller.account_id)
    return Response(item_syncs.item_sync_list(found, schedules, runs).encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=ItemSync,
    responses=refusals(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=ITEM_SYNC_BODY,
)
async def create_item_sync(
    request: Request, caller: MayWriteSyncs, _: MayReadConnections, runtime: OpenRuntime
) -> Response:
    """Store an item sync. No server is called, and nothing is read."""
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    declaration = parse_declaration(caller, body)
    async with write_as(caller, runtime) as session:
        created = await stored.create_sync(session, runtime.vault, caller.account_id, declaration)
        return await answer(session, caller, created, 201)


async def answer(session: ReadSession, caller: Caller, sync: StoredSync, status: int = 200) -> Response:
    schedules = await list_of_syncs(session, caller.account_id)
    runs = await stored.list_last_runs(session, caller.account_id)
    return Response(item_syncs.item_sync(sync, schedules, runs).encoded(), status, media_type=translate.JSON)


@router.get("/{sync_id}", response_model=ItemSync, responses=refusals(401, 403, 404, 503))
async def get_item_sync(sync_id: str, caller: MayReadSyncs, runtime: OpenRuntime) -> Response:
    """Read an item sync. It can be sent back as it is."""
    async with runtime.database.read() as session:
        return await answer(session, caller, await stored.load_sync(session, caller.account_id, sync_id))


@router.put(
    "/{sync_id}",
    response_model=ItemSync,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=ITEM_SYNC_BODY,
)
async def put_item_sync(
    request: Request, sync_id: str, caller: MayWriteSyncs, _: MayReadConnections, runtime: OpenRuntime
) -> Response:
    """Replace an item sync. What is left out gets its default. Runs that were accepted keep the old settings."""
    async with runtime.database.read() as session:  # what is not there is refused before the body is read
        await stored.load_sync(session, caller.account_id, sync_id)
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    declaration = parse_declaration(caller, body)
    async with write_as(caller, runtime) as session:
        replaced = await stored.replace_sync(session, runtime.vault, caller.account_id, sync_id, declaration)
        return await answer(session, caller, replaced)


@router.delete("/{sync_id}", status_code=204, responses=refusals(401, 403, 404, 503))
async def delete_item_sync(sync_id: str, caller: MayWriteSyncs, runtime: OpenRuntime) -> Response:
    """Delete an item sync. Its runs stay, and one that is open goes on. So do all records."""
    async with write_as(caller, runtime) as session:
        await stored.delete_sync(session, caller.account_id, sync_id)
    return Response(status_code=204)


@router.post("/{sync_id}/test", response_model=ConnectionTest, responses=refusals(401, 403, 404, 409, 422, 503))
async def test_item_sync(sync_id: str, caller: MayWriteSyncs, runtime: OpenRuntime) -> Response:
    """Test an item sync as it is stored: connect, list each folder, read the header of its first file, find the ZIP.

    Nothing is changed on either side."""
    async with runtime.database.read() as session:
        sync = await stored.load_sync(session, caller.account_id, sync_id)
    check = await check_sync(runtime, caller.account_id, sync)
    return Response(translate.connection_test(check).encoded(), media_type=translate.JSON)
