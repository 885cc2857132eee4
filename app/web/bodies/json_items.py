"""Takes JSON in as an import: a list becomes a blob of JSON Lines while it arrives, one line for each of its items."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec
from fastapi import Request
from python_multipart.multipart import parse_options_header

from app.errors import Complaint, Refused
from app.imports.intake import Upload
from app.imports.sources.incoming import PIECE_BYTES, too_large
from app.resources.cells import BadCell, any_value
from app.runtime import Runtime
from app.settings import Settings
from app.web.bodies.json_stream import UNREADABLE, Reading, Text, misfit, read_list, read_members, whole
from app.web.bodies.upload import arriving, refuse_early

JSON: Final = b"application/json"
UNPACKED: Final = ("", "identity")

# A record as the caller sent it -> as the engine reads it; numbers are Decimal. Anything but a dict fails its row.
Translate = Callable[[dict[str, object]], object]
Lines = list[bytes]

# Keeps the digits of a Decimal, and judges nothing: that is the engine's task, row by row.
_encode = msgspec.json.Encoder(decimal_format="number").encode


@asynccontextmanager
async def received_items(request: Request, runtime: Runtime, *, translate: Translate) -> AsyncIterator[Upload]:
    """A list of records as JSON Lines: row n is its nth item. Unless it is committed within the block, nothing of it
    stays on disk. An item that is no object or cannot be read is written as it was sent: the engine fails its row.

    Raises Refused: unsupported_media_type, bad_request (no JSON, broken off, idle), too_large, invalid.
    """

    def reading(text: Text, lines: Lines) -> Reading[None]:
        return read_list(text, lambda value, raw: lines.append(line_of(value, raw, translate)))

    async with received_lines(request, runtime, reading) as upload:
        yield upload


@asynccontextmanager
async def received_members(
    request: Request, runtime: Runtime, *, items: str, item: str, beside: str
) -> AsyncIterator[tuple[Upload, dict[str, object]]]:
    """An object's list `items` as JSON Lines, each of them as the member `item` of a record, and the small object that
    stands `beside` it, storable, numbers as Decimal. Otherwise as `received_items`."""
    found: dict[str, object] = {}
    opening = b"{" + _encode(item) + b":"

    def reading(text: Text, lines: Lines) -> Reading[None]:
        def listed() -> Reading[None]:
            return read_list(text, lambda _value, raw: lines.append(opening + one_line(raw) + b"}\n"), path=items)

        def small() -> Reading[None]:
            found.update((yield from read_small(text, beside, most=runtime.settings.max_columns)))

        return read_members(text, {items: listed, beside: small})

    async with received_lines(request, runtime, reading) as upload:
        yield upload, found


@asynccontextmanager
async def received_lines(
    request: Request, runtime: Runtime, reading: Callable[[Text, Lines], Reading[None]]
) -> AsyncIterator[Upload]:
    refuse_unreadable(request)
    refuse_early(request, runtime.settings, beside=0)
    incoming = Incoming(runtime, reading)
    try:
        async for piece in pieces(request, runtime.settings):
            await asyncio.to_thread(incoming.add, piece)
        yield await asyncio.to_thread(incoming.end)
    finally:
        incoming.writer.abort()


def refuse_unreadable(request: Request) -> None:
    """By what the headers say; a body of which they say nothing is taken for JSON."""
    kind, _ = parse_options_header(request.headers.get("content-type"))
    if kind not in (b"", JSON) and not kind.endswith(b"+json"):
        raise Refused("unsupported_media_type", f"Send the body as {JSON.decode()}")
    if request.headers.get("content-encoding", "").strip().lower() not in UNPACKED:
        raise Refused("unsupported_media_type", "Send the body without a Content-Encoding")


async def pieces(request: Request, settings: Settings) -> AsyncIterator[bytes]:
    """The body in parts that are worth a thread and never large. Raises Refused: too_large, bad_request."""
    pending, size = bytearray(), 0
    async for chunk in arriving(request, idle=settings.upload_idle_seconds):
        size += len(chunk)
        if size > settings.max_file_bytes:
            raise too_large(settings.max_file_bytes)
        pending += chunk
        while len(pending) >= PIECE_BYTES:
            yield bytes(pending[:PIECE_BYTES])
            del pending[:PIECE_BYTES]
    yield bytes(pending)


class Incoming:
    """A body on its way into a blob. Blocking: one thread at a time."""

    def __init__(self, runtime: Runtime, reading: Callable[[Text, Lines], Reading[None]]) -> None:
        self._lines: Lines = []
        self._text = Text(longest=runtime.settings.max_record_bytes)
        self._reading = whole(self._text, reading(self._text, self._lines))
        self._digest = hashlib.sha256()
        self._size = 0
        self.writer = runtime.blobs.create()

    def add(self, data: bytes) -> None:
        """Raises Refused: bad_request, invalid."""
        self._digest.update(data)
        self._size += len(data)
        self._text.feed(data)
        self._go_on()

    def end(self) -> Upload:
        """Raises Refused: bad_request, invalid."""
        self._text.feed(b"", last=True)
        self._go_on()
        return Upload(self.writer, None, self._size, self._digest.hexdigest(), "utf-8")

    def _go_on(self) -> None:
        with suppress(StopIteration):
            next(self._reading)
        self.writer.write(b"".join(self._lines))
        self._lines.clear()


def line_of(value: object, raw: str, translate: Translate) -> bytes:
    if isinstance(value, dict):
        # What cannot be written, a lone surrogate or too many levels, is no record to the engine either.
        with suppress(UnicodeEncodeError, RecursionError):
            return _encode(translate(value)) + b"\n"
    return one_line(raw) + b"\n"


def one_line(raw: str) -> bytes:
    """JSON as it was sent; its line ends can only stand where blanks may stand."""
    return raw.replace("\n", " ").replace("\r", " ").encode()


def read_small(text: Text, name: str, *, most: int) -> Reading[dict[str, object]]:
    """The member of that name: an object that can be stored, of at most so many members."""
    value = yield from text.value()
    if not isinstance(value, dict) and value is not UNREADABLE:
        raise misfit(Complaint(name, "should be object"))
    if not isinstance(value, dict) or isinstance(any_value(value), BadCell):
        raise misfit(Complaint(name, "cannot be stored (a name twice, too many levels or digits, a NUL character)"))
    if len(value) > most:
        raise misfit(Complaint(name, f"should NOT have more than {most} properties"))
    return value
