"""Stored records: one by its key, to be read, written or deleted, or all of a type."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import Query, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.declarations.stored_records import count_stored, find_record, list_key_forms, no_record
from app.declarations.types import ensure_type
from app.imports.single.named import NamedWrite, write_named
from app.imports.single.write import delete_record
from app.runtime import Runtime
from app.storage import records
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.records import (
    FOUND,
    IF_MATCH,
    NEW_RECORD,
    RECORD_BODY,
    WRITTEN,
    FoundRecord,
    RecordCountList,
    RecordHistory,
    RecordList,
)
from app.surfaces.native.wire.shape import Links
from app.undo.history import find_history_name, load_history
from app.web.bodies.json_body import read_exact_object
from app.web.caller import MayDeleteImports, MayReadRecords, MayWriteImports, OpenRuntime
from app.web.links import decode_cursor, encode_cursor, invalid_cursor, key_path, link_to_same_path
from app.web.refusals import refusals
from app.web.responses.downloads import ensure_few_downloads
from app.web.responses.pieces import respond
from app.web.responses.tags import has_already, is_expected, not_modified
from app.web.runs.reading import visible_kinds

router = build_router("/records/{type}", "records")


MOST_DIGITS = 19  # of the number of a change

counts = build_router("/records", "records")


@counts.get("", response_model=RecordCountList, responses=refusals(401, 403, 503))
async def count_records(caller: MayReadRecords, runtime: OpenRuntime) -> Response:
    """Tell how many records of each type there are, in a few milliseconds: large numbers are estimates."""
    async with runtime.database.read() as session:
        found = await count_stored(session, caller.account_id)
    return Response(translate.record_counts(found).encoded(), media_type=translate.JSON)


@router.get("", response_model=RecordList, responses=refusals(401, 403, 404, 422, 503))
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
        async with runtime.database.snapshot() as session:
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
        return await get_record(request, type, f"{key}/history", caller, runtime)  # a record whose key ends so
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


@router.get(key_path("key"), response_model=FoundRecord, responses=refusals(401, 403, 404, 503) | FOUND)
async def get_record(request: Request, type: str, key: str, caller: MayReadRecords, runtime: OpenRuntime) -> Response:
    """Read a record by its percent-encoded key. An e-mail address may be in any case."""
    async with runtime.database.read() as session:
        row = await find_record(session, caller.account_id, type, key)
    tag = translate.record_tag(row["updated_at"])
    return not_modified(tag) if has_already(request, tag) else respond_with_record(row, type)


def respond_with_record(row: Mapping[Any, Any], type: str, status: int = 200) -> Response:
    tag = {"ETag": translate.record_tag(row["updated_at"])}
    return Response(msgspec.json.encode(translate.found_record(row, type)), status, tag, translate.JSON)


@router.put(
    key_path("key"),
    response_model=FoundRecord,
    responses=refusals(400, 401, 403, 404, 412, 413, 415, 422, 503) | WRITTEN | NEW_RECORD,
    openapi_extra=RECORD_BODY,
)
async def put_record(request: Request, type: str, key: str, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Create a record, or replace all that an existing one holds. It is checked like a row of an import.

    The key of the path may be left out of the body. Only coupons and records of types whose keys the service generates
    cannot be created so. An import that was accepted before and has yet to reach the record leaves it alone.
    """
    return await write_one(request, (type, key), caller, runtime, replaces=True)


@router.patch(
    key_path("key"),
    response_model=FoundRecord,
    responses=refusals(400, 401, 403, 404, 412, 413, 415, 422, 503) | WRITTEN,
    openapi_extra=RECORD_BODY,
)
async def patch_record(
    request: Request, type: str, key: str, caller: MayWriteImports, runtime: OpenRuntime
) -> Response:
    """Change fields of an existing record, and leave the others as they are. It is checked like a row of an import.
    null is stored as null."""
    return await write_one(request, (type, key), caller, runtime, replaces=False)


async def write_one(
    request: Request, named: tuple[str, str], caller: Caller, runtime: Runtime, *, replaces: bool
) -> Response:
    """`named`: the type and the key of the record."""
    if not replaces:  # before the body is read, as for whatever is not there
        async with runtime.database.read() as session:
            await find_record(session, caller.account_id, *named)
    body = await read_exact_object(request, idle=runtime.settings.upload_idle_seconds)
    write = NamedWrite(*named, given=body, replaces=replaces, is_current=partial(is_current, request))
    written = await write_named(runtime, caller.account_id, write, sender=caller.identity)
    return respond_with_record(written.row, named[0], 201 if written.created else 200)


def is_current(request: Request, changed_at: datetime | None) -> bool:
    """Whether the record that was changed then is the one that `If-Match` asks for; None: there is no record."""
    return is_expected(request, None if changed_at is None else translate.record_tag(changed_at))


@router.delete(key_path("key"), status_code=204, responses=refusals(401, 403, 404, 412, 503), openapi_extra=IF_MATCH)
async def delete_one(request: Request, type: str, key: str, caller: MayDeleteImports, runtime: OpenRuntime) -> Response:
    """Delete a record by its percent-encoded key, as `GET` finds it. Its history stays as long as runs can be undone.
    An import that has yet to reach the record creates it again."""
    async with runtime.database.read() as session:
        keys = await list_key_forms(session, caller.account_id, type, key)
    current = partial(is_current, request)
    if not await delete_record(runtime, caller.account_id, type, keys, sender=caller.identity, is_current=current):
        raise no_record(type)
    return Response(status_code=204)
