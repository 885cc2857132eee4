"""Makes a route start nothing twice, with one line above it."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from fastapi.responses import Response

from app.auth.caller import Caller
from app.web.once.header import IdempotencyKey, read_key
from app.web.once.request import OnceRequest, Render

Endpoint = Callable[..., Awaitable[Response]]
HEADER = inspect.Parameter("idempotency_key", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=IdempotencyKey)


def once(render: Render, *, has_body: bool = True) -> Callable[[Endpoint], Endpoint]:
    """For a route that starts runs, with the parameters `request`, `caller` and `runtime`. What it calls has to end its
    transaction with `keep_answer`, with the caller's identity. `render` makes the answer. A route without `has_body`
    does not read one."""

    def decorate(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def answer(*, idempotency_key: str | None = None, **given: Any) -> Response:  # noqa: ARG001  read below
            key = read_key(given["request"])
            if key is None:
                return await endpoint(**given)
            keyed = OnceRequest(given["request"], given["runtime"], given["caller"], key, render)
            return await keyed.find_answer() or await answer_first(endpoint, keyed, given, has_body=has_body)

        own = inspect.signature(endpoint)
        answer.__signature__ = own.replace(parameters=[*own.parameters.values(), HEADER])  # type: ignore[attr-defined]
        return answer

    return decorate


async def answer_first(endpoint: Endpoint, keyed: OnceRequest, given: dict[str, Any], *, has_body: bool) -> Response:
    caller: Caller = given["caller"]
    async with keyed.at_work():
        if not has_body:
            await keyed.read_body()
        keeping = replace(caller, identity=replace(caller.identity, keep_answer=keyed.keep))
        answer = await endpoint(**{**given, "caller": keeping})
    return keyed.answer or answer
