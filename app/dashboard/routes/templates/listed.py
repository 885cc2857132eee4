"""The list of mapping templates."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.dashboard.render import render_page
from app.dashboard.routes.columns.page import MAY_WRITE
from app.dashboard.script import write_curl
from app.dashboard.visitor import MayReadMappings
from app.mappings.templates.stored import list_templates
from app.web.caller import OpenRuntime
from app.web.links import base_url, decode_cursor, encode_cursor

TEMPLATES = "/app/templates"
ROWS = 50  # of a page
router = APIRouter(prefix=TEMPLATES)


@router.get("")
async def show(
    request: Request,
    visitor: MayReadMappings,
    runtime: OpenRuntime,
    cursor: Annotated[str | None, Query(max_length=1_000)] = None,
) -> Response:
    """Ordered by name and type."""
    type_name, _, name = (decode_cursor(cursor) or "").partition(" ")
    async with runtime.database.read() as session:
        page = await list_templates(session, visitor.account_id, type=None, after=(name, type_name), limit=ROWS)
    last = page.rows[-1] if page.more else None
    following = encode_cursor(f"{last['type']} {last['name']}") if last else None
    return render_page(
        request,
        visitor,
        "templates/list.html",
        rows=page.rows,
        next=f"{TEMPLATES}?{urlencode({'cursor': following})}" if following else None,
        first=TEMPLATES if cursor else None,
        may_write=visitor.has_scope(MAY_WRITE),
        command=write_curl(base_url(request, runtime), "/mappings"),
    )
