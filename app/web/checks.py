"""Checks of every request, whatever its path."""

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Cookie, Header, Path

from app.errors import Complaint, Refused, describe, join_choices, shorten_name
from app.web.caller import IdentifiedCaller


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


async def refuse_unknown_query(request: Request, _: IdentifiedCaller) -> None:
    """Refuses query parameters that the route does not have: a misspelled one would be ignored without a word. The
    caller is identified and the request counted first. Raises Refused: not_authenticated, too_many_requests,
    invalid."""
    fields = get_flat_params(request.scope["route"].dependant)
    # What is nothing else: the members of a model of a query do not say that they are of a query.
    known = [field.alias for field in fields if not isinstance(field.field_info, Path | Header | Cookie)]
    takes = f"It takes {join_choices((f'`{name}`' for name in known), word='and')}" if known else "It takes none"
    unknown = [shorten_name(name) for name in request.query_params if name not in known]
    if unknown:
        complaints = [Complaint(name, f"`{name}` is not a query parameter of this path. {takes}") for name in unknown]
        raise Refused("invalid", describe(complaints), complaints, facts={"in": "query"})
