"""Sends a stored file whole or in part (RFC 9110, section 14), so that a download that broke off can go on."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from fastapi import Request
from fastapi.responses import Response

from app.errors import SourceLost
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.blobs import BlobDamaged, BlobsUnavailable
from app.web.responses.downloads import CountedStream
from app.web.responses.pieces import PIECE_BYTES
from app.web.responses.tags import has_already

DIGITS: Final = 18  # of a position in a file; a longer one is after the end of any
_match_range = re.compile(r"bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))", re.IGNORECASE).fullmatch


@dataclass(frozen=True, slots=True)
class StoredDownload:
    """An open file that never changes, and what is told of it. `sha256` is of its bytes, in hexadecimal."""

    file: BinaryIO
    name: str  # only letters, digits, `-`, `_` and `.`
    media_type: str
    size: int
    sha256: str

    @property
    def etag(self) -> str:
        return f'"{self.sha256}"'


def respond_with_file(request: Request, runtime: Runtime, account_id: AccountId, stored: StoredDownload) -> Response:
    """The whole file, or the part that the request asks for: 206, 304 if the client has it already, 416 if no byte of
    it is in the part. Several parts in one request, and a part of another version, get the whole file. The file is
    closed at the end."""
    headers = {"ETag": stored.etag, "Accept-Ranges": "bytes"}
    if has_already(request, stored.etag):
        stored.file.close()
        return Response(status_code=304, headers=headers)
    part = find_part(request, stored)
    if part is not None and not part:
        stored.file.close()
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{stored.size}"})
    sent = range(stored.size) if part is None else part
    headers |= {"Content-Length": str(len(sent)), "Content-Disposition": f'attachment; filename="{stored.name}"'}
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{stored.size}"
    pieces = read_part(stored.file, sent)
    response = CountedStream(runtime, account_id, pieces, media_type=stored.media_type, headers=headers)
    response.status_code = 200 if part is None else 206
    return response


def find_part(request: Request, stored: StoredDownload) -> range | None:
    """The positions that are asked for, which may be none of them; None for the whole file."""
    asked = _match_range(request.headers.get("range", "").replace(" ", ""))
    if asked is None or request.headers.get("if-range", stored.etag) != stored.etag:
        return None
    first, last, ending = asked.groups()
    if ending is not None:
        return range(max(0, stored.size - parse_position(ending)), stored.size)
    start, end = parse_position(first), parse_position(last) if last else stored.size
    return None if end < start and last else range(start, min(end + 1, stored.size))


def parse_position(digits: str) -> int:
    return int(digits) if len(digits) <= DIGITS else int("9" * DIGITS)


async def read_part(file: BinaryIO, part: range) -> AsyncIterator[bytes]:
    """Raises SourceLost if the file cannot be read to its end, or is damaged."""
    try:
        with file:
            await asyncio.to_thread(file.seek, part.start)
            for start in range(part.start, part.stop, PIECE_BYTES):
                yield await asyncio.to_thread(file.read, min(PIECE_BYTES, part.stop - start))
    except (BlobDamaged, BlobsUnavailable) as lost:
        raise SourceLost from lost
