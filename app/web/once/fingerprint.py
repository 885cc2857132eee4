"""Tells whether two requests have the same content, while their bodies arrive."""

import hashlib
from typing import Final

from fastapi import Request
from python_multipart.multipart import parse_options_header

from app.web.bodies.multipart import MultipartReader, PartData, PartHeader, find_boundary, is_form

END_OF_PART: Final = "end"


class Fingerprint:
    """A digest of method, path, query, media type and body. Of a form it is that of the parts: a client that sends one
    again separates them by something else. What is compressed counts as it is when it is unpacked."""

    def __init__(self, request: Request) -> None:
        self._digest = hashlib.sha256()
        self._reader = MultipartReader(find_boundary(request)) if is_form(request) else None
        self._part_bytes = 0
        media_type, _ = parse_options_header(request.headers.get("content-type"))
        path, query = request.scope["path"].rstrip("/"), request.scope["query_string"].decode("latin-1")
        self._note(request.method, path, query, media_type.decode("latin-1"))

    def add(self, data: bytes, /) -> None:
        """The next bytes of the body. Raises Refused("bad_request") for a form that is malformed."""
        if self._reader is None:
            self._digest.update(data)
            return
        for event in self._reader.feed(data):
            if isinstance(event, PartHeader):
                self._note(event.name, repr(event.file_name), event.charset)
            elif isinstance(event, PartData):
                self._digest.update(event.data)
                self._part_bytes += len(event.data)
            else:
                self._note(END_OF_PART, str(self._part_bytes))
                self._part_bytes = 0

    def digest(self) -> bytes:
        return self._digest.digest()

    def _note(self, *texts: str) -> None:
        """Each text with its length, so that no two lists of texts look alike."""
        for text in texts:
            encoded = text.encode("utf-8", "surrogateescape")
            self._digest.update(b"%d:%s," % (len(encoded), encoded))
