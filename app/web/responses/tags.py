"""Entity tags: what a client has already, and what tells whether an answer shows anything else by now."""

from fastapi import Request
from fastapi.responses import Response


def has_already(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` has the tag. It compares weakly (RFC 9110, section 13.1.2)."""
    known = request.headers.get("if-none-match", "")
    listed = [each.strip().removeprefix("W/") for each in known.split(",")]
    return known.strip() == "*" or tag.removeprefix("W/") in listed


def is_expected(request: Request, tag: str | None) -> bool:
    """Whether what has the tag is what `If-Match` asks for; None: there is nothing. It compares strongly (RFC 9110,
    section 13.1.1)."""
    wanted = request.headers.get("if-match")
    if wanted is None:
        return True
    return tag is not None and (wanted.strip() == "*" or tag in [each.strip() for each in wanted.split(",")])


def weak_tag(version: str) -> str:
    """Weak, because estimates in the answer move by themselves, and are no reason to send it again."""
    return f'W/"{version}"'


def not_modified(tag: str, **headers: str) -> Response:
    return Response(status_code=304, headers={"ETag": tag, **headers})
