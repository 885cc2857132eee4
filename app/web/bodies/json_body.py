"""Reads a JSON object from a request once the caller is known; FastAPI would read it before."""

from typing import Final

import msgspec
from fastapi import Request
from starlette.requests import ClientDisconnect

from app.errors import Complaint, Refused

LONGEST: Final = 1_048_576  # bytes


async def json_object(request: Request) -> dict[str, object]:
    """Raises Refused: bad_request (no JSON, broken off), too_large, invalid (no object)."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST:
                raise Refused("too_large", f"The body is larger than {LONGEST} bytes")
        read = msgspec.json.decode(body)
    except ClientDisconnect:
        raise Refused("bad_request", "The client broke the request off") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("bad_request", "The body is not JSON") from None
    if not isinstance(read, dict):
        raise Refused("invalid", "The body must be a JSON object", [Complaint("", "must be a JSON object")])
    return read
