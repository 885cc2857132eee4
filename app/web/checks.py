"""Checks that every request passes, whatever its path."""

from fastapi import Request

from app.errors import Complaint, Refused


async def refuse_line_break(request: Request) -> None:
    """A route's pattern ends with `$`, which matches before a last line break, too. Raises Refused: not_found."""
    values = map(str, request.path_params.values())
    if request.scope["path"].endswith("\n") and not any(value.endswith("\n") for value in values):
        raise Refused("not_found", "There is nothing at this path")


async def refuse_nul(request: Request) -> None:
    """PostgreSQL's text knows no NUL, so nothing can be named by one. Raises Refused: not_found, invalid."""
    if "\0" in request.scope["path"]:
        raise Refused("not_found", "There is nothing at this path")
    for name, value in request.query_params.multi_items():
        if "\0" in value:
            told = "A query parameter holds a NUL character"
            raise Refused("invalid", told, [Complaint(name, "holds a NUL")], facts={"in": "query"})
