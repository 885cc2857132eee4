"""One record with all that is known of it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import render_page
from app.dashboard.views.catalogue import records as shown
from app.dashboard.views.catalogue.history import show_change
from app.dashboard.views.catalogue.types import type_path
from app.dashboard.views.catalogue.writers import Writer, describe_writer
from app.dashboard.visitor import MayReadRecords, MayReadTypes, Visitor
from app.declarations.stored_records import find_record
from app.declarations.types import load_resource
from app.errors import Refused
from app.item_images.shown import ShownImage, list_images
from app.resources.schema import Resource
from app.runs.changes.lines import find_line
from app.runs.kinds import KINDS
from app.runs.status import find_run
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.undo.history import load_history
from app.web.caller import OpenRuntime
from app.web.links import base_url, key_path
from app.web.runs.reading import visible_kinds

router = APIRouter(prefix="/app/records/{type}")
MOST_IMAGES: Final = 24
MOST_CHANGES: Final = 10


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
    data = await asyncio.to_thread(shown.read_data, found["data"])
    async with runtime.database.read() as session:
        writer = await find_writer(session, runtime, visitor, found)
        images = await find_images(session, visitor, resource, found["key"])
        name, kinds = (resource.name, found["key"]), visible_kinds(visitor.caller, None)
        past = await load_history(session, visitor.account_id, found, name, kinds=kinds, limit=MOST_CHANGES)
    return render_page(
        request,
        visitor,
        "records/record.html",
        type=resource.name,
        type_path=type_path(resource.name),
        key=found["key"],
        key_sent=quote(found["key"], safe=""),
        may_delete=visitor.has_scope("imports:delete"),
        record=found,
        values=shown.list_values(resource, data),
        raw=msgspec.json.format(found["data"], indent=2),
        writer=writer,
        changes=[show_change(each) for each in past.items],
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
    if not visitor.has_scope(KINDS[run.kind].read_scope):
        return None
    row = found["run_row"]
    return describe_writer(run, row, None if row is None else await find_line(session, run, row))


async def find_images(session: ReadSession, visitor: Visitor, resource: Resource, key: str) -> Sequence[ShownImage]:
    if resource.name != "items":
        return []
    return await list_images(session, visitor.account_id, key, after=(-1, ""), limit=MOST_IMAGES)
