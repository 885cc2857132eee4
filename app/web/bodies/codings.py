"""Undoes the Content-Encoding of a request body while it arrives."""

import zlib
from collections.abc import Iterator

from fastapi import Request

from app.errors import Refused, shorten_name
from app.formats.unpack import CODINGS, Inflater, parse_coding


def open_inflater(request: Request) -> Inflater | None:
    """What decompresses the body; None if it comes as it is. Raises Refused("unsupported_media_type")."""
    header = ", ".join(request.headers.getlist("content-encoding"))
    try:
        coding = parse_coding(header)
    except ValueError:
        detail = f"The Content-Encoding `{shorten_name(header)}` is not supported. Send the body as it is, or as gzip"
        # A 415 for another reason must not have this header (RFC 9110, 12.5.3).
        raise Refused("unsupported_media_type", detail, headers={"Accept-Encoding": ", ".join(CODINGS)}) from None
    return Inflater(coding) if coding else None


def inflate(inflater: Inflater, chunk: bytes) -> Iterator[bytes]:
    """The pieces of a chunk, of at most 64 KiB: the reader limits the size of the body, so a bomb is stopped early.
    Raises Refused("bad_request")."""
    try:
        yield from inflater.feed(chunk)
    except zlib.error:
        raise damaged_body() from None


def finish_inflating(inflater: Inflater) -> bytes:
    """Raises Refused("bad_request")."""
    try:
        return inflater.finish()
    except zlib.error:
        raise damaged_body() from None


def damaged_body() -> Refused:
    return Refused(
        "bad_request", "The body is damaged or incomplete: it cannot be decompressed as its Content-Encoding says"
    )
