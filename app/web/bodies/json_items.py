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
from app.imports.examine import Upload
from app.imports.sources.incoming import PIECE_BYTES, too_large
from app.resources.field_types import BadCell, convert_any_value
from app.runtime import Runtime
from app.settings import Settings
from app.web.bodies.json_stream import (
    UNREADABLE,
    Incremental,
    JsonText,
    invalid_value,
    read_document,
    read_list,
    read_members,
)
from app.web.bodies.upload import body_chunks, refuse_too_long

JSON: Final = b"application/json"
UNPACKED: Final = ("", "identity")

# A record as the caller sent it -> as the engine reads it; numbers are Decimal. Anything but a dict fails its row.
Translate = Callable[[dict[str, object]], object]
Lines = list[bytes]

# Keeps the digits of a Decimal, and judges nothing: that is the engine's task, row by row.
_encode = msgspec.json.Encoder(decimal_format="number").encode


@asynccontextmanager
async def receive_items(request: Request, runtime: Runtime, *, translate: Translate) -> AsyncIterator[Upload]:
    """A list of records as JSON Lines: row n is its nth item. Unless it is committed within the block, nothing of it
    stays on disk. An item that is no object or cannot be read is written as it was sent: the engine fails its row.

    Raises Refused: unsupported_media_type, bad_request (no JSON, broken off, idle), too_large, invalid.
    """

    def reading(text: JsonText, lines: Lines) -> Incremental[None]:
        return read_list(text, lambda value, raw: lines.append(encode_line(value, raw, translate)))

    async with receive_lines(request, runtime, reading) as upload:
        yield upload


@asynccontextmanager
async def receive_members(
    request: Request, runtime: Runtime, *, items: str, item: str, beside: str
) -> AsyncIterator[tuple[Upload, dict[str, object]]]:
    """An object's list `items` as JSON Lines, each of them as the member `item` of a record, and the small object that
    stands `beside` it, storable, numbers as Decimal. Otherwise as `received_items`."""
    found: dict[str, object] = {}
    opening = b"{" + _encode(item) + b":"

    def reading(text: JsonText, lines: Lines) -> Incremental[None]:
        def listed() -> Incremental[None]:
            return read_list(text, lambda _value, raw: lines.append(opening + as_one_line(raw) + b"}\n"), path=items)

        def small() -> Incremental[None]:
            found.update((yield from read_small_object(text, beside, most=runtime.settings.max_columns)))

        return read_members(text, {items: listed, beside: small})

    async with receive_lines(request, runtime, reading) as upload:
        yield upload, found


@asynccontextmanager
async def receive_lines(
    request: Request, runtime: Runtime, reading: Callable[[JsonText, Lines], Incremental[None]]
) -> AsyncIterator[Upload]:
    require_json(request)
    refuse_too_long(request, runtime.settings, beside=0)
    incoming = JsonUpload(runtime, reading)
    try:
        async for piece in body_pieces(request, runtime.settings):
            await asyncio.to_thread(incoming.add, piece)
        yield await asyncio.to_thread(incoming.end)
    finally:
        incoming.writer.abort()


def require_json(request: Request) -> None:
    """By what the headers say; a body of which they say nothing is taken for JSON."""
    kind, _ = parse_options_header(request.headers.get("content-type"))
    if kind not in (b"", JSON) and not kind.endswith(b"+json"):
        raise Refused("unsupported_media_type", f"Send the body as {JSON.decode()}")
    if request.headers.get("content-encoding", "").strip().lower() not in UNPACKED:
        raise Refused("unsupported_media_type", "Send the body without a Content-Encoding")


async def body_pieces(request: Request, settings: Settings) -> AsyncIterator[bytes]:
    """The body in parts that are worth a thread and never large. Raises Refused: too_large, bad_request."""
    pending, size = bytearray(), 0
    async for chunk in body_chunks(request, idle=settings.upload_idle_seconds):
        size += len(chunk)
        if size > settings.max_file_bytes:
            raise too_large(settings.max_file_bytes)
        pending += chunk
        while len(pending) >= PIECE_BYTES:
            yield bytes(pending[:PIECE_BYTES])
            del pending[:PIECE_BYTES]
    yield bytes(pending)


class JsonUpload:
    """A body on its way into a blob. Blocking: one thread at a time."""

    def __init__(self, runtime: Runtime, reading: Callable[[JsonText, Lines], Incremental[None]]) -> None:
        self._lines: Lines = []
        self._text = JsonText(longest=runtime.settings.max_record_bytes)
        self._reading = read_document(self._text, reading(self._text, self._lines))
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


def encode_line(value: object, raw: str, translate: Translate) -> bytes:
    if isinstance(value, dict):
        # What cannot be written, a lone surrogate or too many levels, is no record to the engine either.
        with suppress(UnicodeEncodeError, RecursionError):
            return _encode(translate(value)) + b"\n"
    return as_one_line(raw) + b"\n"


def as_one_line(raw: str) -> bytes:
    """JSON as it was sent; its line ends can only stand where blanks may stand."""
    return raw.replace("\n", " ").replace("\r", " ").encode()


def read_small_object(text: JsonText, name: str, *, most: int) -> Incremental[dict[str, object]]:
    """The member of that name: an object that can be stored, of at most so many members."""
    value = yield from text.value()
    if not isinstance(value, dict) and value is not UNREADABLE:
        raise invalid_value(Complaint(name, "should be object"))
    if not isinstance(value, dict) or isinstance(convert_any_value(value), BadCell):
        raise invalid_value(
            Complaint(name, "cannot be stored (a name twice, too many levels or digits, a NUL character)")
        )
    if len(value) > most:
        raise invalid_value(Complaint(name, f"should NOT have more than {most} properties"))
    return value
