"""Reads a small JSON object after the caller is authenticated; FastAPI would read it before."""

import re
from typing import Final

import msgspec
from fastapi import Request

from app.errors import Complaint, Refused
from app.formats.json_object import parse_object
from app.resources.objects import MAX_DEPTH
from app.web.bodies.arrival import read_body
from app.web.bodies.json_items import require_json

MAX_BYTES: Final = 1_048_576
NOT_AN_OBJECT: Final = "The body must be a JSON object"


async def read_json_object(request: Request, *, idle: float, optional: bool = False) -> dict[str, object]:
    """With `optional` an empty body counts as {}. Raises Refused: bad_request (not JSON, an aborted upload, nothing
    received for `idle` seconds), too_large, invalid (not an object)."""
    read = await read_body(request, MAX_BYTES, idle=idle)
    if optional and not read:
        return {}
    try:
        body = msgspec.json.decode(read)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("bad_request", "The body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused("invalid", NOT_AN_OBJECT, [Complaint("", NOT_AN_OBJECT)])
    return body


async def read_exact_object(request: Request, *, idle: float) -> dict[str, object]:
    """The object with every number as a Decimal of the digits that were sent, and nothing in it that cannot be stored.

    Raises Refused: unsupported_media_type, bad_request (not such an object, an aborted upload, nothing received for
    `idle` seconds), too_large.
    """
    require_json(request)
    try:
        found = parse_object((await read_body(request, MAX_BYTES, idle=idle)).decode("utf-8-sig"), MAX_DEPTH)
    except UnicodeDecodeError:
        raise Refused("bad_request", "The body is not JSON: it is not UTF-8") from None
    if not isinstance(found, dict):
        # The message speaks of a line or row of a file; here the body is the only one.
        raise Refused("bad_request", re.sub(r"^The (line|row)\b", "The body", found[1]))
    return found
