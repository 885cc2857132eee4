"""Receives a form of whose file only the beginning matters: it is kept in memory, and nothing is stored."""

from fastapi import Request

from app.imports.examine import Upload
from app.imports.sources.head import FileHead, HeadReader
from app.imports.sources.incoming import too_large
from app.settings import Settings
from app.web.bodies.multipart import MultipartReader, find_boundary
from app.web.bodies.upload import FindEncoding, Form, FormReceiver, refuse_too_long


class HeadFile:
    """Keeps the beginning of a file, and counts the rest."""

    def __init__(self, settings: Settings, encoding: str | None) -> None:
        self.declared = encoding
        self.sheet = ""  # a workbook has no beginning that could be read
        self.size = 0
        self.head: FileHead | None = None
        self._limit = settings.max_file_bytes
        self._reader = HeadReader(encoding, limit=settings.max_file_bytes, ratio=settings.unpack_ratio)

    def describe(self, charset: str, /) -> None:
        """What the part's own headers say of it."""
        self._reader.suppose(charset)

    async def add(self, data: bytes, /) -> None:
        """Raises Refused: too_large, unreadable_file."""
        self.size += len(data)
        if self.size > self._limit:
            raise too_large(self._limit)
        self._reader.feed(data)

    async def end(self) -> None:
        """The file is complete."""

    def as_upload(self, file_name: str | None, /) -> Upload | None:
        """Raises Refused("unreadable_file")."""
        self.head = self._reader.finish(file_name)
        return None

    def discard(self) -> None:
        """Nothing is stored."""


async def receive_head(
    request: Request, settings: Settings, find_encoding: FindEncoding
) -> tuple[Form, FileHead | None]:
    """The form, and the beginning of its file if it has one.

    Raises Refused: unsupported_media_type, bad_request (malformed, aborted, idle), too_large, invalid (a part),
    unreadable_file.
    """
    boundary = find_boundary(request)
    refuse_too_long(request, settings)
    opened: list[HeadFile] = []

    def open_file(encoding: str | None) -> HeadFile:
        opened.append(HeadFile(settings, encoding))
        return opened[-1]

    form = await FormReceiver(settings, MultipartReader(boundary), open_file, find_encoding).receive(request)
    return form, opened[0].head if opened else None
