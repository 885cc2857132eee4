"""Reads the fields of a small form from a request once the caller is known; FastAPI would read it before."""

from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from python_multipart.multipart import parse_options_header

from app.errors import Complaint, Refused
from app.web.bodies.upload import whole

KIND: Final = "application/x-www-form-urlencoded"
LONGEST: Final = 65_536  # bytes
MOST_FIELDS: Final = 50


async def form_fields(request: Request, *, idle: float) -> dict[str, str]:
    """A field without a value is as good as none (RFC 6749, 3.2). Raises Refused: unsupported_media_type, too_large,
    bad_request (no form, broken off, nothing for `idle` seconds, a field twice)."""
    kind, _ = parse_options_header(request.headers.get("content-type"))
    if kind != KIND.encode():
        raise Refused("unsupported_media_type", f"Send the fields as {KIND}")
    try:
        pairs = parse_qsl(
            (await whole(request, LONGEST, idle=idle)).decode(), errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise Refused("bad_request", f"The body is no {KIND} in UTF-8 of at most {MOST_FIELDS} fields") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Refused("bad_request", "The form has a field twice", [Complaint("", "has a field twice")])
    return fields
