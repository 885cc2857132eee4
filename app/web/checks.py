"""Checks of every request, whatever its path."""

from fastapi import Request

from app.errors import Complaint, Refused, shorten_name


async def refuse_line_break(request: Request) -> None:
    """Refuses a path that ends with a line break: the `$` of a route's pattern matches before it. Raises
    Refused("not_found")."""
    values = map(str, request.path_params.values())
    if request.scope["path"].endswith("\n") and not any(value.endswith("\n") for value in values):
        raise Refused("not_found", "Nothing exists at this path")


async def refuse_nul(request: Request) -> None:
    """Refuses NUL characters in path and query: PostgreSQL cannot store them. Raises Refused: not_found, invalid."""
    if "\0" in request.scope["path"]:
        raise Refused("not_found", "Nothing exists at this path")
    for name, value in request.query_params.multi_items():
        if "\0" in value:
            reason = f"The query parameter `{shorten_name(name)}` must not contain NUL characters"
            raise Refused("invalid", reason, [Complaint(name, reason)], facts={"in": "query"})
