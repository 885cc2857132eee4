"""Reads a small URL-encoded form after the caller is authenticated; FastAPI would read it before."""

from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from python_multipart.multipart import parse_options_header

from app.errors import Complaint, Refused
from app.web.bodies.arrival import read_body

MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
MAX_BYTES: Final = 65_536  # bytes
MAX_FIELDS: Final = 50


async def read_form_fields(request: Request, *, idle: float) -> dict[str, str]:
    """The fields of the form. Those without a value are left out (RFC 6749, 3.2).

    Raises Refused: unsupported_media_type, too_large, bad_request (not a form, a repeated field, an aborted upload, or
    nothing received for `idle` seconds).
    """
    media_type, _ = parse_options_header(request.headers.get("content-type"))
    if media_type != MEDIA_TYPE.encode():
        raise Refused("unsupported_media_type", f"Send the fields as {MEDIA_TYPE}")
    try:
        pairs = parse_qsl(
            (await read_body(request, MAX_BYTES, idle=idle)).decode(), errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise Refused(
            "bad_request", f"The body is not a UTF-8 form ({MEDIA_TYPE}) of at most {MAX_FIELDS} fields"
        ) from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        reason = "The form contains a field more than once"
        raise Refused("bad_request", reason, [Complaint("", reason)])
    return fields
