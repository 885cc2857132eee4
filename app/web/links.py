"""Builds absolute links, the opaque cursors in them, and the paths of routes that end with a key."""

import base64
import binascii
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from starlette.convertors import PathConvertor, register_url_convertor

from app.errors import Complaint, Refused
from app.runtime import Runtime

MOST_KEPT_BYTES: Final = 255  # of the name of a host


class KeyConvertor(PathConvertor):
    """The rest of a path, with the line breaks that a key may contain; `{key:path}` ends before the first."""

    regex = r"(?s:.*)"


# Starlette has one table for all routes, and reads it when a route is defined.
register_url_convertor("key", KeyConvertor())


def key_path(parameter: str) -> str:
    """The path of a route whose rest is a key."""
    return f"/{{{parameter}:key}}"


def base_url(request: Request, runtime: Runtime) -> str:
    """The address of this service without a final slash: as configured, or else as the caller addressed it."""
    return (runtime.settings.public_url or find_own_url(request)).rstrip("/")


def find_own_url(request: Request) -> str:
    """As the caller addressed it. It is worked out once for each host, unless the name is long."""
    host = next((value for name, value in request.scope["headers"] if name == b"host"), None)
    if host is None or len(host) > MOST_KEPT_BYTES or "app_root_path" in request.scope:
        return str(request.base_url)
    return build_own_url(request.scope["scheme"], host, request.scope["server"], request.scope.get("root_path", ""))


@lru_cache(maxsize=64)
def build_own_url(scheme: str, host: bytes, server: tuple[str, int | None] | None, root_path: str) -> str:
    scope = {"type": "http", "scheme": scheme, "server": server, "root_path": root_path, "headers": [(b"host", host)]}
    return str(Request(scope).base_url)


def link_to_same_path(request: Request, runtime: Runtime, **query: object) -> str:
    """The address of the request with another query, without parameters that are None. A list is a parameter that is
    there several times."""
    parameters = {name: value for name, value in query.items() if value is not None}
    path = request.scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0]
    return f"{base_url(request, runtime)}{path}" + (f"?{urlencode(parameters, doseq=True)}" if parameters else "")


def encode_cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, name: str = "cursor") -> str | None:
    """Raises Refused("invalid") for a cursor that this service cannot have issued."""
    if cursor is None:
        return None
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = "\0"
    if "\0" in key:
        raise invalid_cursor(name)
    return key


def invalid_cursor(name: str) -> Refused:
    reason = f"`{name}` must be a cursor from an earlier response"
    return Refused("invalid", reason, [Complaint(name, reason)])
