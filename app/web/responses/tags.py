"""Entity tags: what a client has already, and what tells whether an answer shows anything else by now."""

from fastapi import Request
from fastapi.responses import Response


def has_already(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` has the tag. It compares weakly (RFC 9110, section 13.1.2)."""
    known = request.headers.get("if-none-match", "")
    listed = [each.strip().removeprefix("W/") for each in known.split(",")]
    return known.strip() == "*" or tag.removeprefix("W/") in listed


def weak_tag(version: str) -> str:
    """Weak, because estimates in the answer move by themselves, and are no reason to send it again."""
    return f'W/"{version}"'


def not_modified(tag: str, **headers: str) -> Response:
    return Response(status_code=304, headers={"ETag": tag, **headers})
