"""The runtime and the caller as types for a route's signature; a right is the type of the parameter that needs it."""

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Annotated

from fastapi import Depends, Request

from app.auth.caller import EVERY_AREA, Caller, authenticate
from app.auth.credentials import read_credentials
from app.errors import Refused
from app.runtime import Runtime
from app.storage.database import DatabaseUnavailable
from app.web.rate_limits import count_request


async def get_runtime(request: Request) -> Runtime:
    """Async although nothing waits: FastAPI would call a plain function in a thread, for every request."""
    opened: Runtime = request.app.state.runtime
    return opened


OpenRuntime = Annotated[Runtime, Depends(get_runtime)]


@dataclass(frozen=True, slots=True)
class RequireScope:
    """Lets through whoever holds a scope; of those with an access token, whoever's token opens the area. Looks at
    headers only: not a byte of the body has been read by then."""

    scope: str
    area: str = EVERY_AREA

    async def __call__(self, request: Request, runtime: OpenRuntime) -> Caller:
        """Raises Refused: not_authenticated, too_many_requests, not_allowed."""
        caller = await identify_caller(request, runtime)
        if not caller.has_scope(self.scope):
            raise Refused("not_allowed", f"The API key lacks the scope {self.scope}")
        if not caller.can_reach(self.area):
            raise Refused("not_allowed", f"The access token lacks the scope {self.area}")
        return caller


async def identify_caller(request: Request, runtime: Runtime) -> Caller:
    """Authenticates the request, whatever its key or token allows, and counts it. Raises Refused: not_authenticated,
    too_many_requests."""
    try:
        caller = await find_caller(request, runtime)
    except Refused:
        # Guesses are bounded by where they come from: they use up nobody's key.
        await count_request(request, runtime, f"address:{client_bucket(request)}")
        raise
    await count_request(request, runtime, f"key:{caller.key_id}")
    return caller


def client_bucket(request: Request) -> str:
    """Where a request comes from: an address, or the /64 of one of IPv6, in which a single machine has as many as it
    likes."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(IPv6Network((address, 64), strict=False)) if isinstance(address, IPv6Address) else host


async def find_caller(request: Request, runtime: Runtime) -> Caller:
    """Raises Refused("not_authenticated")."""
    try:
        return await load_caller(request, runtime)
    except DatabaseUnavailable:
        # PostgreSQL was started anew since the pool's connections were made; the next one is fresh. Asking each
        # of them before each request whether it lives took a fifth of the time of a poll.
        return await load_caller(request, runtime)


async def load_caller(request: Request, runtime: Runtime) -> Caller:
    async with runtime.database.read() as session:
        return await authenticate(session, read_credentials(request.headers), pepper=pepper(runtime))


def pepper(runtime: Runtime) -> str:
    key = runtime.settings.secret_key
    assert key is not None  # noqa: S101  open_runtime has checked
    return key.get_secret_value()


MayReadImports = Annotated[Caller, Depends(RequireScope("imports:read"))]
MayWriteImports = Annotated[Caller, Depends(RequireScope("imports:write"))]
MayDeleteImports = Annotated[Caller, Depends(RequireScope("imports:delete"))]
MayReadRecords = Annotated[Caller, Depends(RequireScope("records:read"))]
MayReadTypes = Annotated[Caller, Depends(RequireScope("types:read"))]
MayReadConnections = Annotated[Caller, Depends(RequireScope("connections:read"))]
MayWriteConnections = Annotated[Caller, Depends(RequireScope("connections:write"))]
MayWriteTypes = Annotated[Caller, Depends(RequireScope("types:write"))]
