"""Stores a JSON list as an upload: writes it to a blob as JSON Lines while it arrives, one line for each item."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec
from fastapi import Request
from python_multipart.multipart import parse_options_header

from app.errors import Refused
from app.imports.examine import Upload
from app.imports.sources.incoming import PIECE_BYTES, too_large
from app.resources.field_types import BadCell, convert_any_value
from app.runtime import Runtime
from app.settings import Settings
from app.web.bodies.arrival import body_chunks
from app.web.bodies.codings import open_inflater
from app.web.bodies.json_stream import (
    UNREADABLE,
    Incremental,
    JsonText,
    invalid_value,
    read_document,
    read_list,
    read_members,
)
from app.web.bodies.upload import refuse_too_long

JSON: Final = b"application/json"

# A record as the caller sent it -> as the engine reads it; numbers are Decimal. Any result but a dict fails its row.
Translate = Callable[[dict[str, object]], object]
Lines = list[bytes]

# Keeps the digits of a Decimal and checks nothing: the engine checks every row.
_encode = msgspec.json.Encoder(decimal_format="number").encode


@asynccontextmanager
async def receive_items(request: Request, runtime: Runtime, *, translate: Translate) -> AsyncIterator[Upload]:
    """A list of records as JSON Lines: row n is the nth item. Unless the upload is committed within the block, nothing
    of it stays on disk. An item that is not an object or cannot be read is written as sent: the engine fails its row.

    Raises Refused: unsupported_media_type, bad_request (not JSON, aborted, idle), too_large, invalid.
    """

    def parse(text: JsonText, lines: Lines) -> Incremental[None]:
        return read_list(text, lambda value, raw: lines.append(encode_line(value, raw, translate)))

    async with receive_lines(request, runtime, parse) as upload:
        yield upload


@asynccontextmanager
async def receive_members(
    request: Request, runtime: Runtime, *, items: str, item: str, other: str
) -> AsyncIterator[tuple[Upload, dict[str, object]]]:
    """The list `items` of an object as JSON Lines, each item as the member `item` of a record, and the small object in
    the member `other`, which can be stored, with numbers as Decimal. Otherwise like `receive_items`."""
    other_member: dict[str, object] = {}
    opening = b"{" + _encode(item) + b":"

    def parse(text: JsonText, lines: Lines) -> Incremental[None]:
        def parse_items() -> Incremental[None]:
            return read_list(text, lambda _value, raw: lines.append(opening + as_one_line(raw) + b"}\n"), path=items)

        def parse_other() -> Incremental[None]:
            other_member.update((yield from read_small_object(text, other, limit=runtime.settings.max_columns)))

        return read_members(text, {items: parse_items, other: parse_other})

    async with receive_lines(request, runtime, parse) as upload:
        yield upload, other_member


@asynccontextmanager
async def receive_lines(
    request: Request, runtime: Runtime, parse: Callable[[JsonText, Lines], Incremental[None]]
) -> AsyncIterator[Upload]:
    require_json(request)
    refuse_too_long(request, runtime.settings, other_bytes=0)
    upload = JsonUpload(runtime, parse)
    try:
        async for piece in body_pieces(request, runtime.settings):
            await asyncio.to_thread(upload.add, piece)
        yield await asyncio.to_thread(upload.end)
    finally:
        upload.writer.abort()


def require_json(request: Request) -> None:
    """Checks the headers; a body without a media type counts as JSON. Raises Refused("unsupported_media_type")."""
    media_type, _ = parse_options_header(request.headers.get("content-type"))
    if media_type not in (b"", JSON) and not media_type.endswith(b"+json"):
        raise Refused("unsupported_media_type", f"Send the body as {JSON.decode()}")
    open_inflater(request)


async def body_pieces(request: Request, settings: Settings) -> AsyncIterator[bytes]:
    """The body in pieces that are worth a thread and never large. Raises Refused: too_large, bad_request."""
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
    """A JSON body that is being written to a blob. Blocking: use it in one thread at a time."""

    def __init__(self, runtime: Runtime, parse: Callable[[JsonText, Lines], Incremental[None]]) -> None:
        self._lines: Lines = []
        self._text = JsonText(longest=runtime.settings.max_record_bytes)
        self._parsing = read_document(self._text, parse(self._text, self._lines))
        self._digest = hashlib.sha256()
        self._size = 0
        self.writer = runtime.blobs.create()

    def add(self, data: bytes) -> None:
        """Raises Refused: bad_request, invalid."""
        self._digest.update(data)
        self._size += len(data)
        self._text.feed(data)
        self._advance()

    def end(self) -> Upload:
        """Raises Refused: bad_request, invalid."""
        self._text.feed(b"", last=True)
        self._advance()
        return Upload(self.writer, None, self._size, self._digest.hexdigest(), "utf-8")

    def _advance(self) -> None:
        with suppress(StopIteration):
            next(self._parsing)
        self.writer.write(b"".join(self._lines))
        self._lines.clear()


def encode_line(value: object, raw: str, translate: Translate) -> bytes:
    if isinstance(value, dict):
        # What cannot be written (a lone surrogate, too many levels) is no record for the engine either.
        with suppress(UnicodeEncodeError, RecursionError):
            return _encode(translate(value)) + b"\n"
    return as_one_line(raw) + b"\n"


def as_one_line(raw: str) -> bytes:
    """JSON as it was sent, in one line: line breaks in JSON occur only where spaces are allowed."""
    return raw.replace("\n", " ").replace("\r", " ").encode()


def read_small_object(text: JsonText, name: str, *, limit: int) -> Incremental[dict[str, object]]:
    """The value of the member `name`: an object that can be stored, with at most `limit` members."""
    value = yield from text.value()
    if not isinstance(value, dict) and value is not UNREADABLE:
        raise invalid_value(name, "should be object")
    if not isinstance(value, dict) or isinstance(convert_any_value(value), BadCell):
        raise invalid_value(
            name, "cannot be stored: it has a repeated name, too many levels or digits, or a NUL character"
        )
    if len(value) > limit:
        raise invalid_value(name, f"should NOT have more than {limit} properties")
    return value
