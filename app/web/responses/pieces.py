"""Sends what may be large in pieces, so that memory holds one of them only."""

from collections.abc import AsyncIterator
from typing import Final

from fastapi.responses import Response

from app.runs.model import AccountId
from app.runtime import Runtime
from app.under_way import counting
from app.web.responses.downloads import CountedStream

PIECE_BYTES: Final = 262_144  # that a connection is given at once; a body that is no longer is sent as usual


async def respond_in_pieces(
    runtime: Runtime, account_id: AccountId, pieces: AsyncIterator[bytes], media_type: str
) -> Response:
    """A response of all the pieces. What the first two raise becomes an answer of its own; what a later one raises
    breaks the connection. A single piece is a usual response with its length. From the first piece on it counts as
    under way."""
    first = await anext(pieces)
    with counting(runtime.under_way.downloads, account_id):
        second = await anext(pieces, None)
    if second is None:
        return respond(runtime, account_id, first, media_type)
    return CountedStream(runtime, account_id, chain(first, second, pieces), media_type=media_type)


def respond(runtime: Runtime, account_id: AccountId, body: bytes, media_type: str) -> Response:
    """A response with its length. A long body counts as under way: its client may read it slowly."""
    if len(body) <= PIECE_BYTES:
        return Response(body, media_type=media_type)
    headers = {"Content-Length": str(len(body))}
    return CountedStream(runtime, account_id, cut(body), media_type=media_type, headers=headers)


async def chain(first: bytes, second: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    yield second
    async for piece in others:
        yield piece


async def cut(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]
