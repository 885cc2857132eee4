"""Passes on the bytes of a request body as they arrive, unless they come too slowly or too many of them are held."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final, Protocol

from fastapi import Request
from starlette.requests import ClientDisconnect

from app.errors import Refused
from app.under_way import discount
from app.web.bodies.codings import finish_inflating, inflate, open_inflater
from app.web.caller import known_caller
from app.web.requests import get_runtime

LEAST_SPEED: Final = 1_000  # bytes a second
HELD_BYTES: Final = 8_388_608  # of bodies of one account that are read as a whole, in this process
RETRY_SECONDS: Final = 5
WATCHER: Final = "body_watcher"  # in the scope of a request whose body is looked at while it passes


class BodyWatcher(Protocol):
    """Looks at the bytes of a body while they are passed on."""

    def add(self, data: bytes, /) -> None: ...


class Pace:
    """How fast a body comes, in periods of so many seconds, from the second one on. Only the time that is spent waiting
    for it counts."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waited = 0.0
        self._received = LEAST_SPEED * seconds  # so the first period cannot be too slow

    def count(self, waited: float, received: int) -> None:
        """`waited` is in seconds, `received` in bytes. Raises Refused("bad_request")."""
        self._waited += waited
        self._received += received
        if self._waited < self._seconds:
            return
        if self._received < LEAST_SPEED * self._waited:
            raise Refused(
                "bad_request",
                f"The client sent fewer than {LEAST_SPEED:,} bytes a second for {self._seconds:g} seconds",
            )
        self._waited, self._received = 0.0, 0.0


async def body_chunks(request: Request, *, idle: float) -> AsyncIterator[bytes]:
    """The body as it arrives, without its Content-Encoding. Raises Refused: unsupported_media_type, bad_request (the
    client disconnects, sends nothing or too little for `idle` seconds, or sends a damaged body)."""
    watcher: BodyWatcher | None = request.scope.get(WATCHER)
    async for piece in plain_chunks(request, idle=idle):
        if watcher is not None:
            watcher.add(piece)
        yield piece


async def plain_chunks(request: Request, *, idle: float) -> AsyncIterator[bytes]:
    inflater = open_inflater(request)
    async for chunk in sent_chunks(request, idle=idle):
        for piece in inflate(inflater, chunk) if inflater else (chunk,):
            yield piece
    if inflater:
        yield finish_inflating(inflater)


async def sent_chunks(request: Request, *, idle: float) -> AsyncIterator[bytes]:
    stream, pace = request.stream(), Pace(idle)
    while True:
        asked = time.monotonic()
        try:
            async with asyncio.timeout(idle):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except ClientDisconnect:
            raise Refused("bad_request", "The client aborted the upload") from None
        except TimeoutError:
            raise Refused("bad_request", f"The client sent nothing for {idle:g} seconds") from None
        pace.count(time.monotonic() - asked, len(chunk))
        yield chunk


async def read_body(request: Request, limit: int, *, idle: float) -> bytes:
    """A small body as a whole. Raises Refused: too_large, too_many_requests (so much of this account is being received
    already), bad_request (aborted, idle, slow)."""
    held, account_id = get_runtime(request.scope).under_way.body_bytes, known_caller(request).account_id
    body = bytearray()
    try:
        async for chunk in body_chunks(request, idle=idle):
            body += chunk
            held[account_id] += len(chunk)
            if len(body) > limit:
                raise Refused("too_large", f"The body is larger than {limit:,} bytes")
            if held[account_id] > HELD_BYTES:
                detail = "Too many bodies of this account are not complete. Complete them first"
                raise Refused("too_many_requests", detail, retry_after=RETRY_SECONDS)
    finally:
        discount(held, account_id, len(body))
    return bytes(body)
