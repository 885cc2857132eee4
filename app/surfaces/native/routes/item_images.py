"""The images of items: listed for an item, and downloaded in several sizes."""

from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.responses import Response

from app.item_images.shown import list_images, parse_cursor
from app.surfaces.native import item_images, translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.item_images import PICTURE, ItemImageList, PictureWidth
from app.web.caller import MayReadRecords, OpenRuntime
from app.web.links import decode_cursor, encode_cursor, key_path, link_to_same_path
from app.web.refusals import refusals
from app.web.responses.pictures import respond_with_picture

router = build_router("/items", "items")
IMAGES = f"{key_path('item_code')}/images"


@router.get(IMAGES, response_model=ItemImageList, responses=refusals(401, 403, 404, 422, 503))
async def list_item_images(
    request: Request,
    item_code: str,
    caller: MayReadRecords,
    runtime: OpenRuntime,
    *,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: str | None = None,
) -> Response:
    """List the images of an item by its percent-encoded code, in the order of their sequence."""
    after = parse_cursor(decode_cursor(cursor))
    async with runtime.database.read() as session:
        images = await list_images(session, caller.account_id, item_code, after=after, limit=limit + 1)
    shown, more = images[:limit], len(images) > limit
    next_cursor = encode_cursor(f"{shown[-1].sequence}:{shown[-1].key}") if more else None
    next_page = link_to_same_path(request, runtime, limit=limit, cursor=next_cursor) if more else None
    body = item_images.render_images(shown, link_to_same_path(request, runtime), next_page)
    return Response(body.encoded(), media_type=translate.JSON)


@router.get(
    f"{IMAGES}/{{sequence}}",
    response_class=Response,
    responses=refusals(401, 403, 404, 410, 422, 429, 503) | PICTURE,
)
async def get_item_image(
    request: Request,
    item_code: str,
    sequence: Annotated[int, Path(ge=0, le=9_999)],
    caller: MayReadRecords,
    runtime: OpenRuntime,
    *,
    width: Annotated[
        PictureWidth | None, Query(description="The greatest width, in pixels. A picture is never made larger")
    ] = None,
) -> Response:
    """Download an image of an item, as it is or smaller. Send its `ETag` as `If-None-Match` to be told that it is
    still the same. A size is made when somebody asks for it first, and kept."""
    pixels = None if width is None else width.value
    return await respond_with_picture(request, runtime, caller.account_id, item_code, sequence, pixels)
