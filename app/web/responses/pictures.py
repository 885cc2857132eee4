"""Sends the picture of an item's image."""

import re
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from app.item_images.shown import OpenPicture, open_image
from app.runs.model import AccountId
from app.runtime import Runtime
from app.web.responses.downloads import ensure_few_downloads
from app.web.responses.ranges import StoredDownload, respond_with_file

EXTENSIONS: Final = {"image/jpeg": "jpg", "image/png": "png"}
CACHED: Final = "private, no-cache"  # kept by the client, who asks whether it is still the same


async def respond_with_picture(
    request: Request, runtime: Runtime, account_id: AccountId, item_code: str, sequence: int, width: int | None
) -> Response:
    """In the width, or as it is. Raises Refused: not_found, gone, too_many_reads. Raises DecoderAway,
    BlobsUnavailable."""
    ensure_few_downloads(runtime, account_id)
    picture = await open_image(runtime, account_id, item_code, sequence, width)
    response = respond_with_file(request, runtime, account_id, build_picture(picture, item_code, sequence))
    response.headers["Cache-Control"] = CACHED
    return response


def build_picture(picture: OpenPicture, item_code: str, sequence: int) -> StoredDownload:
    kept = picture.kept
    name = f"{re.sub(r'[^A-Za-z0-9.-]', '-', item_code)[:100]}_{sequence}.{EXTENSIONS[kept.media_type]}"
    return StoredDownload(picture.file, name, kept.media_type, kept.size, kept.blob_sha256)
