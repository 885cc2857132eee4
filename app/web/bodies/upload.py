"""Takes an upload in: the file goes straight into the blob store while it arrives, the other parts are kept as text."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.requests import ClientDisconnect

from app.errors import Complaint, Refused
from app.formats.decode import normalize_encoding
from app.imports.examine import Upload
from app.imports.sources.filenames import sanitize_filename
from app.imports.sources.incoming import IncomingFile, too_large
from app.runtime import Runtime
from app.settings import Settings
from app.web.bodies.multipart import MultipartReader, PartData, PartEvent, PartHeader, find_boundary, incomplete_form

FILE_PART = "file"
ENCODING_PART = "encoding"
OTHER_PARTS_BYTES = 65_536  # by how much a request may be longer than the largest file
PART_HEAD_BYTES = 65_536  # more than the parser lets the headers of a part have


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it was received. `repeated` names parts that stand in it more than once; `complaints` is what is wrong
    with the file itself."""

    parts: Mapping[str, str]
    repeated: frozenset[str]
    upload: Upload | None
    complaints: tuple[Complaint, ...]


@asynccontextmanager
async def receive_form(request: Request, runtime: Runtime) -> AsyncIterator[Form]:
    """The form of a request. Unless its upload is committed within the block, nothing of it stays on disk.

    Raises Refused: unsupported_media_type, bad_request (broken, broken off, idle), too_large, invalid (a part).
    """
    boundary = find_boundary(request)
    refuse_too_long(request, runtime.settings)
    reception = FormReceiver(runtime, MultipartReader(boundary))
    try:
        yield await reception.form(request)
    finally:
        reception.discard()


def refuse_too_long(request: Request, settings: Settings, *, beside: int = OTHER_PARTS_BYTES) -> None:
    """By its length, before a byte of the body is read; so many bytes may stand in it `beside` the file. A body without
    a length is counted as it comes."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > settings.max_file_bytes + beside:
        raise too_large(settings.max_file_bytes)


class FormReceiver:
    """A form that is being received, part by part, in whatever order they come."""

    def __init__(self, runtime: Runtime, splitter: MultipartReader) -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._splitter = splitter
        self._texts: dict[str, bytearray] = {}
        self._repeated: set[str] = set()
        self._complaints: list[Complaint] = []
        self._file: IncomingFile | None = None
        self._file_name: str | None = None
        self._count = 0
        self._name = ""  # of the part at hand
        self._ignored = False  # a second file

    async def form(self, request: Request) -> Form:
        total = 0
        async for chunk in body_chunks(request, idle=self._settings.upload_idle_seconds):
            total += len(chunk)
            if total > longest_body(self._settings):
                raise incomplete_form()
            for piece in self._splitter.feed(chunk):
                await self._take(piece)
        if not self._splitter.complete:
            raise incomplete_form()
        self._check_encoding()
        upload = self._file.as_upload(self._file_name) if self._file else None
        # What is not UTF-8 stays visible as such: the surface says which of its parts that hurts.
        parts = {name: value.decode(errors="surrogateescape") for name, value in self._texts.items()}
        return Form(parts, frozenset(self._repeated), upload, tuple(self._complaints))

    def discard(self) -> None:
        if self._file:
            self._file.writer.abort()

    async def _take(self, piece: PartEvent) -> None:
        if isinstance(piece, PartHeader):
            self._begin(piece)
        elif isinstance(piece, PartData):
            await self._add(piece.data)
        elif self._name == FILE_PART and self._file and not self._ignored:
            await self._file.end()

    def _begin(self, part: PartHeader) -> None:
        self._count += 1
        if self._count > self._settings.max_form_parts:
            raise Refused("bad_request", f"The form has more than {self._settings.max_form_parts} parts")
        self._name, self._ignored = part.name, part.name == FILE_PART and self._file is not None
        if self._ignored:
            self._complaints.append(Complaint(FILE_PART, "stands twice in the form; send one file per request"))
        elif part.name == FILE_PART:
            self._file = IncomingFile(self._runtime, self._known_encoding())
            self._file_name = sanitize_filename(part.file_name or "")
        elif part.name in self._texts:
            self._repeated.add(part.name)
        else:
            self._texts[part.name] = bytearray()

    async def _add(self, data: bytes) -> None:
        if self._name == FILE_PART and self._file:
            # A second file is thrown away, but counted: both together may not be larger than one.
            await self._file.add(b"" if self._ignored else data)
            self._file.size += len(data) if self._ignored else 0
            return
        text = self._texts[self._name]
        text += data
        if len(text) > self._settings.max_part_bytes:
            reason = f"is longer than {self._settings.max_part_bytes} bytes"
            raise Refused("invalid", f"The part {self._name[:100]!r} {reason}", [Complaint(self._name[:100], reason)])

    def _known_encoding(self) -> str | None:
        """The declared encoding; one that is none is noted, and the rest of the form is looked at all the same."""
        declared = self._texts.get(ENCODING_PART, b"").decode(errors="replace").strip()
        try:
            return normalize_encoding(declared) if declared else None
        except Refused as unknown:
            self._complaints += unknown.complaints
            return None

    def _check_encoding(self) -> None:
        """The file was decoded as it came, so its encoding has to stand before it."""
        named = any(each.path == ENCODING_PART for each in self._complaints)
        declared = None if named else self._known_encoding()
        if self._file and declared not in (None, "utf-8", self._file.declared):
            self._complaints.append(Complaint(ENCODING_PART, "has to stand before the file in the form"))


def longest_body(settings: Settings) -> int:
    """The longest body that any form within the limits has: what stands before and behind the parts has no limit of
    its own."""
    return settings.max_file_bytes + settings.max_form_parts * (settings.max_part_bytes + PART_HEAD_BYTES)


async def body_chunks(request: Request, *, idle: float) -> AsyncIterator[bytes]:
    """The body as it comes. Raises Refused("bad_request") when the client goes away or sends nothing for `idle`
    seconds."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(idle):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except ClientDisconnect:
            raise Refused("bad_request", "The client broke the upload off") from None
        except TimeoutError:
            raise Refused("bad_request", f"Nothing was sent for {idle:g} seconds") from None
        yield chunk


async def read_body(request: Request, limit: int, *, idle: float) -> bytes:
    """A small body. Raises Refused: too_large, bad_request (broken off, idle)."""
    body = bytearray()
    async for chunk in body_chunks(request, idle=idle):
        body += chunk
        if len(body) > limit:
            raise Refused("too_large", f"The body is larger than {limit} bytes")
    return bytes(body)
