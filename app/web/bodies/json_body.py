"""Reads a JSON object from a request once the caller is known; FastAPI would read it before."""

import re
from typing import Final

import msgspec
from fastapi import Request

from app.errors import Complaint, Refused
from app.formats.json_object import parse_object
from app.resources.objects import MAX_DEPTH
from app.web.bodies.json_items import require_json
from app.web.bodies.upload import read_body

MAX_BYTES: Final = 1_048_576  # bytes


async def read_json_object(request: Request, *, idle: float) -> dict[str, object]:
    """Raises Refused: bad_request (no JSON, broken off, nothing for `idle` seconds), too_large, invalid (no object)."""
    try:
        read = msgspec.json.decode(await read_body(request, MAX_BYTES, idle=idle))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("bad_request", "The body is not JSON") from None
    if not isinstance(read, dict):
        raise Refused("invalid", "The body must be a JSON object", [Complaint("", "must be a JSON object")])
    return read


async def read_exact_object(request: Request, *, idle: float) -> dict[str, object]:
    """With every number as a Decimal of the digits that were sent, and nothing in it that cannot be stored.

    Raises Refused: unsupported_media_type, bad_request (no such object, broken off, idle), too_large.
    """
    require_json(request)
    try:
        found = parse_object((await read_body(request, MAX_BYTES, idle=idle)).decode("utf-8-sig"), MAX_DEPTH)
    except UnicodeDecodeError:
        raise Refused("bad_request", "The body is not JSON: it is not UTF-8") from None
    if not isinstance(found, dict):
        # ProblemShape of a row of a file, which here is all there is.
        raise Refused("bad_request", re.sub(r"^The (line|row)\b", "The body", found[1]))
    return found
