"""Receives a form with a file: streams the file into the blob store and keeps the other parts as text."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

from app.errors import Complaint, Refused, shorten_name
from app.formats.decode import normalize_encoding
from app.imports.examine import Upload
from app.imports.sources.filenames import sanitize_filename
from app.imports.sources.incoming import IncomingFile, too_large
from app.mappings.declaring.declaration import MOST_BYTES
from app.mappings.declaring.requested import BODY_MEMBER
from app.runtime import Runtime
from app.settings import Settings
from app.web.bodies.arrival import body_chunks
from app.web.bodies.multipart import MultipartReader, PartData, PartEvent, PartHeader, find_boundary, incomplete_form

FILE_PART = "file"
ENCODING_PART = "encoding"
SHEET_PART = "sheet"  # of a workbook
# Parts that may be longer than `max_part_bytes`.
LONG_PARTS = {BODY_MEMBER: MOST_BYTES}
OTHER_PARTS_BYTES = 65_536  # how much longer than the largest file a request without those may be
PART_HEAD_BYTES = 65_536  # more than the parser allows for the headers of a part


@dataclass(frozen=True, slots=True)
class Form:
    """A received form. `repeated` has the names of parts that occur more than once, `complaints` what is wrong with the
    file itself."""

    parts: Mapping[str, str]
    repeated: frozenset[str]
    upload: Upload | None
    complaints: tuple[Complaint, ...]


class FilePart(Protocol):
    """Takes the bytes of the part with the file as they arrive."""

    declared: str | None  # its encoding
    sheet: str  # of a workbook, as the caller names it
    size: int  # bytes so far

    def describe(self, charset: str, /) -> None:
        """What the part's own headers say of it, before its first byte."""

    async def add(self, data: bytes, /) -> None: ...

    async def end(self) -> None: ...

    def as_upload(self, file_name: str | None, /) -> Upload | None:
        """The file, if it was stored."""

    def discard(self) -> None: ...


OpenFile = Callable[[str | None], FilePart]  # by the declared encoding


# What finds the encoding of the file from the text parts, where no part says it.
FindEncoding = Callable[[Mapping[str, str]], Awaitable[str | None]]


@asynccontextmanager
async def receive_form(
    request: Request,
    runtime: Runtime,
    find_encoding: FindEncoding | None = None,
    *,
    charset: str = "",
    workbooks: bool = False,
) -> AsyncIterator[Form]:
    """The form of a request. Unless its upload is committed within the block, nothing of it stays on disk. `charset` is
    the encoding of a file that is not UTF-8, where nothing else says it; `workbooks` says whether one may be sent.

    Raises Refused: unsupported_media_type, bad_request (malformed, aborted, idle), too_large, invalid (a part).
    """
    boundary = find_boundary(request)
    long_bytes = 0 if find_encoding is None else sum(LONG_PARTS.values())  # forms of vendors have no mapping
    refuse_too_long(request, runtime.settings, other_bytes=OTHER_PARTS_BYTES + long_bytes)

    def open_file(declared: str | None) -> IncomingFile:
        file = IncomingFile(runtime, declared, workbooks=workbooks)
        file.describe(charset)
        return file

    receiver = FormReceiver(runtime.settings, MultipartReader(boundary), open_file, find_encoding)
    try:
        yield await receiver.receive(request)
    finally:
        receiver.discard()


def refuse_too_long(request: Request, settings: Settings, *, other_bytes: int = OTHER_PARTS_BYTES) -> None:
    """Refuses a body by its declared length, before a byte is read. It may be `other_bytes` longer than the largest
    file. A body without a length is counted as it arrives. Raises Refused("too_large")."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > settings.max_file_bytes + other_bytes:
        raise too_large(settings.max_file_bytes)


class FormReceiver:
    """Receives a form part by part, in any order."""

    def __init__(
        self,
        settings: Settings,
        reader: MultipartReader,
        open_file: OpenFile,
        find_encoding: FindEncoding | None = None,
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._open_file = open_file
        self._find_encoding = find_encoding
        self._texts: dict[str, bytearray] = {}
        self._repeated: set[str] = set()
        self._complaints: list[Complaint] = []
        self._file: FilePart | None = None
        self._file_name: str | None = None
        self._count = 0
        self._name = ""  # of the current part
        self._ignored = False  # whether the current part is a second file

    async def receive(self, request: Request) -> Form:
        total = 0
        async for chunk in body_chunks(request, idle=self._settings.upload_idle_seconds):
            total += len(chunk)
            if total > longest_body(self._settings):
                raise incomplete_form()
            for event in self._reader.feed(chunk):
                await self._handle(event)
        if not self._reader.complete:
            raise incomplete_form()
        self._check_encoding()
        await self._check_found_encoding()
        upload = self._file.as_upload(self._file_name) if self._file else None
        return Form(self._decode_parts(), frozenset(self._repeated), upload, tuple(self._complaints))

    def discard(self) -> None:
        if self._file:
            self._file.discard()

    async def _handle(self, event: PartEvent) -> None:
        if isinstance(event, PartHeader):
            await self._begin(event)
        elif isinstance(event, PartData):
            await self._add(event.data)
        elif self._name == FILE_PART and self._file and not self._ignored:
            await self._file.end()

    def _decode_parts(self) -> dict[str, str]:
        """Bytes that are not UTF-8 stay recognizable: the surface decides in which parts they matter."""
        return {name: value.decode(errors="surrogateescape") for name, value in self._texts.items()}

    async def _begin(self, part: PartHeader) -> None:
        self._count += 1
        if self._count > self._settings.max_form_parts:
            raise Refused("bad_request", f"The form has more than {self._settings.max_form_parts} parts")
        self._name, self._ignored = part.name, part.name == FILE_PART and self._file is not None
        if self._ignored:
            self._complaints.append(
                Complaint(FILE_PART, f"The form has more than one part `{FILE_PART}`. Send one file per request")
            )
        elif part.name == FILE_PART:
            self._file = self._open_file(self._known_encoding() or await self._search_encoding())
            self._file.describe(part.charset)
            self._file.sheet = self._texts.get(SHEET_PART, b"").decode(errors="replace").strip()
            self._file_name = sanitize_filename(part.file_name or "")
        elif part.name in self._texts:
            self._repeated.add(part.name)
        else:
            self._texts[part.name] = bytearray()

    async def _add(self, data: bytes) -> None:
        if self._name == FILE_PART and self._file:
            # A second file is discarded but counted: both together must not exceed the limit of one.
            await self._file.add(b"" if self._ignored else data)
            self._file.size += len(data) if self._ignored else 0
            return
        text = self._texts[self._name]
        text += data
        limit = LONG_PARTS.get(self._name, self._settings.max_part_bytes)
        if len(text) > limit:
            name = shorten_name(self._name)
            reason = f"The form part `{name}` is longer than {limit:,} bytes"
            raise Refused("invalid", reason, [Complaint(name, reason)])

    def _known_encoding(self) -> str | None:
        """The declared encoding. An unknown one becomes a complaint, so that the rest of the form is still checked."""
        declared = self._texts.get(ENCODING_PART, b"").decode(errors="replace").strip()
        try:
            return normalize_encoding(declared) if declared else None
        except Refused as unknown:
            self._complaints += unknown.complaints
            return None

    def _check_encoding(self) -> None:
        """The file is decoded as it arrives, so its encoding must be known before it."""
        named = any(each.path == ENCODING_PART for each in self._complaints)
        declared = None if named else self._known_encoding()
        if self._file and declared not in (None, "utf-8", self._file.declared):
            self._complaints.append(
                Complaint(ENCODING_PART, f"`{ENCODING_PART}` must come before the file in the form")
            )
        sheet = self._texts.get(SHEET_PART, b"").decode(errors="replace").strip()
        if self._file and sheet != self._file.sheet:
            self._complaints.append(Complaint(SHEET_PART, f"`{SHEET_PART}` must come before the file in the form"))

    async def _search_encoding(self) -> str | None:
        """The encoding that the parts so far name in another way."""
        return await self._find_encoding(self._decode_parts()) if self._find_encoding else None

    async def _check_found_encoding(self) -> None:
        if self._file is None or self._file.declared is not None or self._texts.get(ENCODING_PART):
            return
        if await self._search_encoding() not in (None, "utf-8"):
            reason = "The mapping names the encoding of the file, so it must come before the file in the form"
            self._complaints.append(Complaint(BODY_MEMBER, reason))


def longest_body(settings: Settings) -> int:
    """The length of the longest body that a form within the limits can have. Text before and after the parts has no
    limit of its own."""
    parts = settings.max_form_parts * (settings.max_part_bytes + PART_HEAD_BYTES) + sum(LONG_PARTS.values())
    return settings.max_file_bytes + parts
