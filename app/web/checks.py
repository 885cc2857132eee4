"""Checks of every request, whatever its path."""

from collections.abc import Callable

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Cookie, Header, Path
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import Complaint, Refused, describe, join_choices, shorten_name
from app.web.caller import IdentifiedCaller, MayOperate
from app.web.failures import Failure, failure_from


class NulMiddleware:
    """Refuses NUL characters in path and query: PostgreSQL cannot store them. `render` renders the refusal."""

    def __init__(self, app: ASGIApp, render: Callable[[Failure, Request], Response]) -> None:
        self.app = app
        self.render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = find_nul(Request(scope)) if scope["type"] == "http" else None
        app = self.render(failure_from(refused), Request(scope)) if refused else self.app
        await app(scope, receive, send)


def find_nul(request: Request) -> Refused | None:
    """not_found, invalid; None if there is none."""
    if "\0" in request.scope["path"]:
        return Refused("not_found", "Nothing exists at this path")
    query = request.scope["query_string"]
    if b"%00" not in query and b"\0" not in query:  # then no value has one, and nothing needs to be decoded
        return None
    for name, value in request.query_params.multi_items():
        if "\0" in value:
            reason = f"The query parameter `{shorten_name(name)}` must not contain NUL characters"
            return Refused("invalid", reason, [Complaint(name, reason)], facts={"in": "query"})
    return None


async def refuse_unknown_query(request: Request, _: IdentifiedCaller) -> None:
    """As `check_query`. The caller is identified and the request counted first. Raises Refused: not_authenticated,
    too_many_requests, invalid."""
    check_query(request)


async def refuse_unknown_query_of_operator(request: Request, _: MayOperate) -> None:
    """The same for the operator."""
    check_query(request)


def check_query(request: Request) -> None:
    """Refuses query parameters that the route does not have: a misspelled one would be ignored without a word. Raises
    Refused("invalid")."""
    fields = get_flat_params(request.scope["route"].dependant)
    # What is nothing else: the members of a model of a query do not say that they are of a query.
    known = [field.alias for field in fields if not isinstance(field.field_info, Path | Header | Cookie)]
    takes = f"It takes {join_choices((f'`{name}`' for name in known), word='and')}" if known else "It takes none"
    unknown = [shorten_name(name) for name in request.query_params if name not in known]
    if unknown:
        complaints = [Complaint(name, f"`{name}` is not a query parameter of this path. {takes}") for name in unknown]
        raise Refused("invalid", describe(complaints), complaints, facts={"in": "query"})
