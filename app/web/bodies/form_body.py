"""Reads the fields of a small form from a request once the caller is known; FastAPI would read it before."""

from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from app.errors import Complaint, Refused

KIND: Final = "application/x-www-form-urlencoded"
LONGEST: Final = 65_536  # bytes
MOST_FIELDS: Final = 50


async def form_fields(request: Request) -> dict[str, str]:
    """A field without a value is as good as none (RFC 6749, 3.2). Raises Refused: unsupported_media_type, too_large,
    bad_request (no form, broken off, a field twice)."""
    kind, _ = parse_options_header(request.headers.get("content-type"))
    if kind != KIND.encode():
        raise Refused("unsupported_media_type", f"Send the fields as {KIND}")
    try:
        pairs = parse_qsl((await whole(request)).decode(), errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refused("bad_request", f"The body is no {KIND} in UTF-8 of at most {MOST_FIELDS} fields") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Refused("bad_request", "The form has a field twice", [Complaint("", "has a field twice")])
    return fields


async def whole(request: Request) -> bytes:
    """Raises Refused: too_large, bad_request (broken off)."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST:
                raise Refused("too_large", f"The body is larger than {LONGEST} bytes")
    except ClientDisconnect:
        raise Refused("bad_request", "The client broke the request off") from None
    return bytes(body)
