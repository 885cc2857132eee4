"""Stored records: one by its key, or all of a type."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import Query, Request
from fastapi.responses import Response

from app.declarations.stored_records import count_stored, find_record
from app.declarations.types import ensure_type
from app.storage import records
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.records import FoundRecord, RecordCountList, RecordList
from app.web.caller import MayReadRecords, OpenRuntime
from app.web.links import decode_cursor, encode_cursor, key_path, link_to_same_path
from app.web.refusals import refusals
from app.web.responses.downloads import ensure_few_downloads
from app.web.responses.pieces import respond

router = build_router("/records/{type}", "records")


counts = build_router("/records", "records")


@counts.get("", response_model=RecordCountList, responses=refusals(401, 403, 503))
@counts.get("/", include_in_schema=False)
async def count_records(caller: MayReadRecords, runtime: OpenRuntime) -> Response:
    """Tell how many records of each type there are, in a few milliseconds: large numbers are estimates."""
    async with runtime.database.read() as session:
        found = await count_stored(session, caller.account_id)
    return Response(translate.record_counts(found).encoded(), media_type=translate.JSON)


@router.get("", response_model=RecordList, responses=refusals(401, 403, 404, 422, 503))
@router.get("/", include_in_schema=False)
async def list_records(
    request: Request,
    type: str,
    caller: MayReadRecords,
    runtime: OpenRuntime,
    *,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: str | None = None,
) -> Response:
    """List the records of a type, ordered by key. A page of large records ends early: follow `links.next` as long as
    there is one."""
    after = decode_cursor(cursor)
    async with runtime.heavy_reads.turn(caller.account_id):
        ensure_few_downloads(runtime, caller.account_id)
        async with runtime.database.read() as session:
            await ensure_type(session, caller.account_id, type)
            page = await records.page(session, caller.account_id, type, after=after, limit=limit)
        next_cursor = encode_cursor(page.rows[-1]["key"]) if page.more else None
        query = {"limit": limit, "cursor": next_cursor}
        next_page = None if next_cursor is None else link_to_same_path(request, runtime, **query)
        body = await asyncio.to_thread(translate.record_list, page.rows, type, next_page)
    return respond(runtime, caller.account_id, body, translate.JSON)


@router.get(key_path("key"), response_model=FoundRecord, responses=refusals(401, 403, 404, 503))
async def get_record(type: str, key: str, caller: MayReadRecords, runtime: OpenRuntime) -> Response:
    """Read a record by its percent-encoded key. An e-mail address may be in any case."""
    async with runtime.database.read() as session:
        row = await find_record(session, caller.account_id, type, key)
    return Response(msgspec.json.encode(translate.found_record(row, type)), media_type=translate.JSON)
