"""The row of a file as it was sent, and the pictures of items."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.dashboard.render import render_page
from app.dashboard.views.runs.badge import title_of
from app.dashboard.visitor import MayReadImports, MayReadRecords
from app.imports.results.sent_row import read_sent_row
from app.runs.status import find_run
from app.web.caller import OpenRuntime
from app.web.links import base_url, key_path
from app.web.responses.pictures import respond_with_picture

router = APIRouter(prefix="/app")
WIDTH: Final = 320  # pixels of a picture on a page


@router.get("/imports/{import_id}/rows/{row}")
async def show_row(
    request: Request,
    import_id: str,
    row: Annotated[int, Path(ge=1, le=2_147_483_647)],
    visitor: MayReadImports,
    runtime: OpenRuntime,
) -> Response:
    """A row of an import's file, as long as the file is stored."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await find_run(session, visitor.account_id, import_id, retention_days=days)
    sent = await read_sent_row(runtime, run, row)
    address = f"{base_url(request, runtime)}/imports/{run.id}/rows/{row}"
    return render_page(request, visitor, "records/row.html", sent=sent, run=run, title=title_of(run), address=address)


@router.get(f"/pictures/{{sequence}}{key_path('item')}")
async def send_picture(
    request: Request,
    sequence: Annotated[int, Path(ge=0, le=9_999)],
    item: str,
    visitor: MayReadRecords,
    runtime: OpenRuntime,
) -> Response:
    """The picture of an image of an item, from our own origin: the policy of pages allows no other."""
    return await respond_with_picture(request, runtime, visitor.account_id, item, sequence, WIDTH)
