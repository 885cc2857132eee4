"""The records of a type, in the order of their keys."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import redirect, render_page
from app.dashboard.routes.catalogue.record import answer_record
from app.dashboard.views.catalogue import records as shown
from app.dashboard.views.catalogue.types import describe_type, is_built_in, list_fields, type_path
from app.dashboard.visitor import MayReadRecords, MayReadTypes, Visitor
from app.declarations.stored_records import find_record
from app.declarations.types import load_resource
from app.errors import Refused
from app.runtime import Runtime
from app.storage import records
from app.storage.counts.records import RecordCount, count_records
from app.storage.database import ReadSession
from app.web.caller import OpenRuntime
from app.web.links import base_url, decode_cursor, encode_cursor

router = APIRouter(prefix="/app/records/{type}")
PAGE: Final = 50  # records
PAGE_BYTES: Final = 1_048_576  # of their data: a page of large records ends earlier


@router.get("")
async def show_records(
    request: Request,
    type: str,
    visitor: MayReadRecords,
    _: MayReadTypes,
    runtime: OpenRuntime,
    *,
    key: str = "",
    after: str | None = None,
) -> Response:
    """A page of the records. `key`: the record with this key or, if there is none, those that come after it."""
    async with runtime.database.read() as session:
        resource, _declaration = await load_resource(session, visitor.account_id, type)
        found = await look_for(session, visitor, type, key) if key else None
    if found is not None:
        path = shown.record_path(type, found["key"])
        if path.startswith(f"{type_path(type)}/"):
            return redirect(path)
        return await answer_record(request, visitor, runtime, resource, found)
    start = key or decode_cursor(after, "after")
    page = await load_page(runtime, visitor, type, start)
    columns = shown.choose_columns(resource, [data for _, data, _ in page.rows])
    return render_page(
        request,
        visitor,
        "records/table.html",
        type=describe_type(resource, page.count),
        fields=list_fields(resource),
        columns=columns,
        lines=shown.list_lines(type, columns, page.rows),
        key=key,
        may_delete=visitor.has_scope("types:write") and not is_built_in(resource),
        first=type_path(type) if start else "",
        following=f"{type_path(type)}?after={encode_cursor(page.rows[-1][0])}" if page.more else "",
        base=base_url(request, runtime),
    )


async def look_for(session: ReadSession, visitor: Visitor, type: str, key: str) -> Mapping[Any, Any] | None:
    try:
        return await find_record(session, visitor.account_id, type, key)
    except Refused:
        return None


@dataclass(frozen=True, slots=True)
class LoadedRecords:
    """Some records of a type: key, data and last change of each. `count` is of all of the type."""

    rows: list[shown.Row]
    more: bool
    count: RecordCount


async def load_page(runtime: Runtime, visitor: Visitor, type: str, after: str | None) -> LoadedRecords:
    async with runtime.heavy_reads.turn(visitor.account_id):
        async with runtime.database.snapshot() as session:
            account_id = visitor.account_id
            page = await records.page(session, account_id, type, after=after, limit=PAGE, max_bytes=PAGE_BYTES)
            counts = await count_records(session, account_id, [type])
        return LoadedRecords(await asyncio.to_thread(shown.read_rows, page.rows), page.more, counts[type])
