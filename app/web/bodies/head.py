"""Receives a form of whose file only the beginning matters: it is kept in memory, and nothing is stored."""

import asyncio
from dataclasses import replace

from fastapi import Request

from app.imports.examine import Upload
from app.imports.sources.head import FileHead, HeadReader, feed_head
from app.imports.sources.incoming import RawWorkbook, read_sheet, too_large
from app.runtime import Runtime
from app.storage.blobs import BlobWriter
from app.web.bodies.multipart import MultipartReader, find_boundary
from app.web.bodies.upload import FindEncoding, Form, FormReceiver, refuse_too_long
from app.workbooks.workbook import ReadSheet


class HeadFile:
    """Keeps the beginning of a file, and counts the rest. A workbook is kept until one sheet of it is read: its
    beginning says nothing."""

    def __init__(self, runtime: Runtime, encoding: str | None) -> None:
        self.declared = encoding
        self.sheet = ""  # of a workbook: its name or number, "" for the first one that is not hidden
        self.size = 0
        self.head: FileHead | None = None
        self._runtime = runtime
        self._reader = self._new_reader(encoding)
        self._raw = RawWorkbook(runtime)
        self._read_sheet: ReadSheet | None = None

    def describe(self, charset: str, /) -> None:
        """What the part's own headers say of it."""
        self._reader.suppose(charset)

    async def add(self, data: bytes, /) -> None:
        """Raises Refused: too_large, unreadable_file."""
        self.size += len(data)
        if self.size > self._runtime.settings.max_file_bytes:
            raise too_large(self._runtime.settings.max_file_bytes)
        if self._raw.writer:
            await asyncio.to_thread(self._raw.take, data)
        else:
            self._reader.feed(self._raw.take(data))

    async def end(self) -> None:
        """The file is complete. Raises Refused("unreadable_file") for a workbook."""
        if self._raw.writer is None:
            self._reader.feed(self._raw.beginning)
            return
        csv = self._runtime.blobs.create()
        try:
            self._read_sheet = await read_sheet(self._runtime, self._raw.writer, self.sheet, csv)
            self._reader = self._new_reader(None)
            await asyncio.to_thread(self._read_beginning, csv)
        finally:
            csv.abort()

    def as_upload(self, file_name: str | None, /) -> Upload | None:
        """Raises Refused("unreadable_file")."""
        self.head = replace(self._reader.finish(file_name), sheet=self._read_sheet)
        return None

    def discard(self) -> None:
        """Nothing is stored."""
        self._raw.discard()

    def _new_reader(self, encoding: str | None) -> HeadReader:
        settings = self._runtime.settings
        return HeadReader(encoding, limit=settings.max_file_bytes, ratio=settings.unpack_ratio)

    def _read_beginning(self, csv: BlobWriter) -> None:
        with csv.open_for_reading() as file:
            feed_head(file, self._reader)


async def receive_head(request: Request, runtime: Runtime, find_encoding: FindEncoding) -> tuple[Form, FileHead | None]:
    """The form, and the beginning of its file if it has one.

    Raises Refused: unsupported_media_type, bad_request (malformed, aborted, idle), too_large, invalid (a part),
    unreadable_file.
    """
    boundary = find_boundary(request)
    refuse_too_long(request, runtime.settings)
    opened: list[HeadFile] = []

    def open_file(encoding: str | None) -> HeadFile:
        opened.append(HeadFile(runtime, encoding))
        return opened[-1]

    receiver = FormReceiver(runtime.settings, MultipartReader(boundary), open_file, find_encoding)
    try:
        form = await receiver.receive(request)
    finally:
        receiver.discard()
    return form, opened[0].head if opened else None
