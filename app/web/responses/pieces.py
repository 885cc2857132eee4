"""Sends what may be large in pieces, so that memory holds one of them only."""

from collections.abc import AsyncIterator

from fastapi.responses import Response, StreamingResponse


async def respond_in_pieces(pieces: AsyncIterator[bytes], media_type: str) -> Response:
    """A response of all the pieces. What the first two raise becomes an answer of its own; what a later one raises
    breaks the connection. A single piece is a usual response with its length."""
    first = await anext(pieces)
    second = await anext(pieces, None)
    if second is None:
        return Response(first, media_type=media_type)
    return StreamingResponse(chain(first, second, pieces), media_type=media_type)


async def chain(first: bytes, second: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    yield second
    async for piece in others:
        yield piece
