"""Splits a multipart/form-data body into its parts while it arrives, without keeping any of it."""

import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.errors import Refused

EXTENDED_NAME: Final = re.compile(rb";\s*filename\*\s*=\s*(utf-8|iso-8859-1)'[^';]*'([^\s;\"]+)", re.IGNORECASE)
EXTENDED_CHARSETS: Final = {b"utf-8": "utf-8", b"iso-8859-1": "iso-8859-1"}


@dataclass(frozen=True, slots=True)
class PartHeader:
    name: str
    file_name: str | None
    charset: str  # of its own Content-Type, or ""


@dataclass(frozen=True, slots=True)
class PartData:
    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnd:
    pass


PartEvent = PartHeader | PartData | PartEnd


def is_form(request: Request) -> bool:
    """Whether the body is declared as multipart/form-data."""
    return parse_options_header(request.headers.get("content-type"))[0] == b"multipart/form-data"


def find_boundary(request: Request) -> bytes:
    """Raises Refused: unsupported_media_type, bad_request."""
    media_type, options = parse_options_header(request.headers.get("content-type"))
    if media_type != b"multipart/form-data":
        raise Refused("unsupported_media_type", "Send the file as a part of a multipart/form-data body")
    if not options.get(b"boundary"):
        raise Refused("bad_request", "The Content-Type header has no boundary")
    return options[b"boundary"]


class MultipartReader:
    """Turns the chunks of a body into events of its parts. The parser itself limits the headers of a part."""

    def __init__(self, boundary: bytes) -> None:
        self.complete = False  # the last boundary has been seen
        self._events: deque[PartEvent] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._header: tuple[bytes, bytes] = b"", b""
        with refuse_malformed():
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._field,
                    "on_header_value": self._value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._complete,
                },
            )

    def feed(self, data: bytes) -> Iterator[PartEvent]:
        """The events of a chunk; none is held once it is yielded. Raises Refused("bad_request") if it is malformed."""
        with refuse_malformed():
            self._parser.write(data)
        while self._events:
            yield self._events.popleft()

    def _begin(self) -> None:
        self._headers = {}

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header = self._header[0] + data[start:end], self._header[1]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header = self._header[0], self._header[1] + data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]
        self._header = b"", b""

    def _headers_end(self) -> None:
        disposition_header = self._headers.get(b"content-disposition", b"")
        disposition, options = parse_options_header(disposition_header)
        if disposition != b"form-data" or b"name" not in options:
            raise FormParserError("a part has no name")
        _, type_options = parse_options_header(self._headers.get(b"content-type"))
        charset = decode_name(type_options.get(b"charset", b""))
        self._events.append(PartHeader(decode_name(options[b"name"]), find_file_name(disposition_header), charset))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(PartData(data[start:end]))

    def _end(self) -> None:
        self._events.append(PartEnd())

    def _complete(self) -> None:
        self.complete = True


@contextmanager
def refuse_malformed() -> Iterator[None]:
    try:
        yield
    except FormParserError:
        raise incomplete_form() from None


def incomplete_form() -> Refused:
    return Refused("bad_request", "The body is not complete multipart/form-data")


def find_file_name(disposition: bytes) -> str | None:
    """The name of the part's file. `filename*` is meant for other clients than browsers (RFC 5987), and wins."""
    _, options = parse_options_header(disposition)
    extended = EXTENDED_NAME.search(disposition)
    if extended:
        return unquote(extended[2].decode(), EXTENDED_CHARSETS[extended[1].lower()], "replace")
    return decode_name(options[b"filename"]) if b"filename" in options else None


def decode_name(name: bytes) -> str:
    return name.decode(errors="replace")
