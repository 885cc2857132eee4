"""The file of a posted form, streamed into the store as it arrives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Request

from app.dashboard.visitor import Visitor
from app.drafts.file import RawFile
from app.errors import Complaint, Refused
from app.imports.examine import Upload
from app.runtime import Runtime
from app.web.admission import count_upload
from app.web.bodies.multipart import MultipartReader, find_boundary
from app.web.bodies.upload import FormReceiver, refuse_too_long

NO_FILE: Final = "Choose a file"


@asynccontextmanager
async def receive_file(request: Request, runtime: Runtime, visitor: Visitor) -> AsyncIterator[Upload]:
    """The file of the form, as it was sent. Unless it is committed within the block nothing of it stays.

    Raises Refused: unsupported_media_type, bad_request, too_large, invalid (no file), queue_full (uploads under way).
    """
    reader = MultipartReader(find_boundary(request))
    refuse_too_long(request, runtime.settings)
    receiver = FormReceiver(runtime.settings, reader, lambda _: RawFile(runtime))
    with count_upload(runtime, visitor.account_id):
        try:
            upload = (await receiver.receive(request)).upload
            if upload is None or (upload.size == 0 and not upload.file_name):
                raise Refused("invalid", NO_FILE, [Complaint("file", NO_FILE)])
            yield upload
        finally:
            receiver.discard()
