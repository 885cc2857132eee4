"""Reads a JSON object from a request once the caller is known; FastAPI would read it before."""

from typing import Final

import msgspec
from fastapi import Request

from app.errors import Complaint, Refused
from app.web.bodies.upload import whole

LONGEST: Final = 1_048_576  # bytes


async def json_object(request: Request, *, idle: float) -> dict[str, object]:
    """Raises Refused: bad_request (no JSON, broken off, nothing for `idle` seconds), too_large, invalid (no object)."""
    try:
        read = msgspec.json.decode(await whole(request, LONGEST, idle=idle))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("bad_request", "The body is not JSON") from None
    if not isinstance(read, dict):
        raise Refused("invalid", "The body must be a JSON object", [Complaint("", "must be a JSON object")])
    return read
