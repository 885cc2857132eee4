"""The records of a type in the order of their keys, and one record with all that is known of it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import redirect, render_page
from app.dashboard.views.catalogue import records as shown
from app.dashboard.views.catalogue.types import describe_type, list_fields, type_path
from app.dashboard.views.catalogue.writers import Writer, describe_writer
from app.dashboard.visitor import MayReadRecords, MayReadTypes, Visitor
from app.declarations.stored_records import find_record
from app.declarations.types import load_resource
from app.errors import Refused
from app.imports.merging.json_values import parse_exactly
from app.item_images.shown import ShownImage, list_images
from app.resources.schema import Resource
from app.runs.kinds import KINDS
from app.runs.status import find_run
from app.runtime import Runtime
from app.storage import records
from app.storage.counts.records import count_records
from app.storage.database import ReadSession
from app.web.caller import OpenRuntime
from app.web.links import base_url, decode_cursor, encode_cursor, key_path

router = APIRouter(prefix="/app/records/{type}")
PAGE: Final = 50  # records
PAGE_BYTES: Final = 1_048_576  # of their data: a page of large records ends earlier
MOST_IMAGES: Final = 24


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
        if found is not None and shown.record_path(type, found["key"]).startswith(f"{type_path(type)}/"):
            return redirect(shown.record_path(type, found["key"]))
    if found is not None:
        return await answer_record(request, visitor, runtime, resource, found)
    start = key or decode_cursor(after, "after")
    async with runtime.heavy_reads.turn(visitor.account_id):
        async with runtime.database.read() as session:
            page = await records.page(session, visitor.account_id, type, after=start, limit=PAGE, max_bytes=PAGE_BYTES)
            counts = await count_records(session, visitor.account_id, [type])
        rows = [
            (row["key"], data, row["updated_at"])
            for row, data in zip(page.rows, await asyncio.to_thread(decode_all, page.rows), strict=True)
        ]
    columns = shown.choose_columns(resource, [data for _, data, _ in rows])
    following = f"{type_path(type)}?after={encode_cursor(page.rows[-1]['key'])}" if page.more else ""
    return render_page(
        request,
        visitor,
        "records/table.html",
        type=describe_type(resource, counts[type]),
        fields=list_fields(resource),
        columns=columns,
        lines=shown.list_lines(type, columns, rows),
        key=key,
        first=type_path(type) if start else "",
        following=following,
        base=base_url(request, runtime),
    )


async def look_for(session: ReadSession, visitor: Visitor, type: str, key: str) -> Mapping[Any, Any] | None:
    try:
        return await find_record(session, visitor.account_id, type, key)
    except Refused:
        return None


def decode_all(rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """The data of each record, with every number to its last digit. Blocking."""
    return [cast("dict[str, Any]", parse_exactly(row["data"].encode())) for row in rows]


@router.get(key_path("key"))
async def show_record(
    request: Request, type: str, key: str, visitor: MayReadRecords, _: MayReadTypes, runtime: OpenRuntime
) -> Response:
    async with runtime.database.read() as session:
        resource, _declaration = await load_resource(session, visitor.account_id, type)
        found = await find_record(session, visitor.account_id, type, key)
    return await answer_record(request, visitor, runtime, resource, found)


async def answer_record(
    request: Request, visitor: Visitor, runtime: Runtime, resource: Resource, found: Mapping[Any, Any]
) -> Response:
    """Everything that is known of one record."""
    data = (await asyncio.to_thread(decode_all, [found]))[0]
    async with runtime.database.read() as session:
        writer = await find_writer(session, runtime, visitor, found)
        images = await find_images(session, visitor, resource, found["key"])
    return render_page(
        request,
        visitor,
        "records/record.html",
        type=resource.name,
        type_path=type_path(resource.name),
        key=found["key"],
        record=found,
        values=shown.list_values(resource, data),
        raw=msgspec.json.format(found["data"], indent=2),
        writer=writer,
        pictures=shown.list_pictures(resource.name, found["key"], data, images),
        address=f"{base_url(request, runtime)}/records/{resource.name}/{quote(found['key'], safe='')}",
    )


async def find_writer(
    session: ReadSession, runtime: Runtime, visitor: Visitor, found: Mapping[Any, Any]
) -> Writer | None:
    """None if it was written by itself, if its run is gone, or if the visitor may not see such runs."""
    if found["run_id"] is None:
        return None
    days = runtime.settings.retention_days
    try:
        run = await find_run(session, visitor.account_id, found["run_id"], kind=None, retention_days=days, whole=False)
    except Refused:
        return None
    return describe_writer(run, found["run_row"]) if visitor.has_scope(KINDS[run.kind].read_scope) else None


async def find_images(session: ReadSession, visitor: Visitor, resource: Resource, key: str) -> Sequence[ShownImage]:
    if resource.name != "items":
        return []
    return await list_images(session, visitor.account_id, key, after=(-1, ""), limit=MOST_IMAGES)
