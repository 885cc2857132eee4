"""Stored records: one by its key, to be read or deleted, or all of a type."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import Query, Request
from fastapi.responses import Response

from app.declarations.stored_records import count_stored, find_record, list_key_forms, no_record
from app.declarations.types import ensure_type
from app.imports.write_record import delete_record
from app.storage import records
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.records import FoundRecord, RecordCountList, RecordHistory, RecordList
from app.surfaces.native.wire.shape import Links
from app.undo.history import find_history_name, load_history
from app.web.caller import MayDeleteImports, MayReadRecords, OpenRuntime
from app.web.links import decode_cursor, encode_cursor, invalid_cursor, key_path, link_to_same_path
from app.web.refusals import refusals
from app.web.responses.downloads import ensure_few_downloads
from app.web.responses.pieces import respond
from app.web.runs.reading import visible_kinds

router = build_router("/records/{type}", "records")


MOST_DIGITS = 19  # of the number of a change

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


@router.get(f"{key_path('key')}/history", response_model=RecordHistory, responses=refusals(401, 403, 404, 422, 503))
async def list_history(
    request: Request,
    type: str,
    key: str,
    caller: MayReadRecords,
    runtime: OpenRuntime,
    *,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Response:
    """List what has changed a record, newest first, for as long as runs can be undone: when, by what, and each field as
    it was before and after. A record that was removed has a history, too.

    Of runs that the key may not read only the id is told.
    """
    if not request.scope.get("raw_path", b"/history").partition(b"?")[0].endswith(b"/history"):
        return await get_record(type, f"{key}/history", caller, runtime)  # a record whose key ends so
    upto, kinds = read_number(decode_cursor(cursor)), visible_kinds(caller, None)
    async with runtime.heavy_reads.turn(caller.account_id), runtime.database.read() as session:
        name, record = await find_history_name(session, caller.account_id, type, key)
        page = await load_history(session, caller.account_id, record, name, kinds=kinds, upto=upto, limit=limit)
    following = None if page.following is None else encode_cursor(str(page.following))
    next_page = None if following is None else link_to_same_path(request, runtime, limit=limit, cursor=following)
    links = Links() if next_page is None else Links(next=next_page)
    body = await asyncio.to_thread(translate.encode_changes, links, page.items)
    return respond(runtime, caller.account_id, body, translate.JSON)


def read_number(text: str | None) -> int | None:
    """Raises Refused("invalid") for what no cursor of a history holds."""
    if text is not None and not (text.isascii() and text.isdigit() and len(text) < MOST_DIGITS):
        raise invalid_cursor("cursor")
    return None if text is None else int(text)


@router.get(key_path("key"), response_model=FoundRecord, responses=refusals(401, 403, 404, 503))
async def get_record(type: str, key: str, caller: MayReadRecords, runtime: OpenRuntime) -> Response:
    """Read a record by its percent-encoded key. An e-mail address may be in any case."""
    async with runtime.database.read() as session:
        row = await find_record(session, caller.account_id, type, key)
    return Response(msgspec.json.encode(translate.found_record(row, type)), media_type=translate.JSON)


@router.delete(key_path("key"), status_code=204, responses=refusals(401, 403, 404, 503))
async def delete_one(type: str, key: str, caller: MayDeleteImports, runtime: OpenRuntime) -> Response:
    """Delete a record by its percent-encoded key, as `GET` finds it. Its history stays as long as runs can be undone.
    An import that has yet to reach the record creates it again."""
    async with runtime.database.read() as session:
        keys = await list_key_forms(session, caller.account_id, type, key)
    if not await delete_record(runtime, caller.account_id, type, keys, sender=caller.identity):
        raise no_record(type)
    return Response(status_code=204)
