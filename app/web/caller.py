"""Parameter types of routes: the runtime, and callers with a required scope (`MayReadImports` and so on)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from app.auth.caller import EVERY_AREA, Caller, authenticate
from app.auth.credentials import read_credentials
from app.auth.identity import Identity, ensure_live
from app.auth.keys import DEEDS
from app.auth.operators import NOT_AN_OPERATOR, Operator, authenticate_operator, ensure_operator
from app.errors import Refused, join_choices
from app.observe.acting import act_as
from app.quotas.quota import runtime_for
from app.runs.kinds import KINDS
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.access import accounts, operators
from app.storage.database import DatabaseUnavailable, Session
from app.web.rate_limits import count_request
from app.web.server.connections import CALLER, group_address

NO_ACCOUNT: Final = AccountId(0)  # that of an operator


async def get_service_runtime(request: Request) -> Runtime:
    """Async although it awaits nothing: FastAPI would call a plain function in a thread, for every request."""
    runtime: Runtime = request.app.state.runtime
    return runtime


ServiceRuntime = Annotated[Runtime, Depends(get_service_runtime)]


async def get_runtime(request: Request, runtime: ServiceRuntime) -> Runtime:
    """The runtime with the quotas of the caller's account. The caller has to stand before it in the signature of a
    route: then it is known by now."""
    caller: Caller | None = request.scope.get(CALLER)
    return runtime if caller is None else runtime_for(runtime, caller.quotas)


OpenRuntime = Annotated[Runtime, Depends(get_runtime)]


async def identify_caller(request: Request, runtime: ServiceRuntime) -> Caller:
    """Authenticates the request, without checking scopes, and counts it against the rate limit.

    Raises Refused: not_authenticated, too_many_requests.
    """
    try:
        caller = await find_caller(request, runtime)
    except Refused:
        # Failed attempts count against the address that they come from, not against any key.
        await count_request(request, runtime, f"address:{client_bucket(request)}")
        raise
    act_as("key", caller.id)
    await count_request(request, runtime, f"key:{caller.id}")
    if caller.stale:
        await note_use(runtime, caller)
    request.scope[CALLER] = caller
    return caller


async def note_use(runtime: Runtime, caller: Caller) -> None:
    """Writes when the key was used last. A database that cannot be written stops nobody from reading."""
    with suppress(DatabaseUnavailable):
        async with runtime.database.transaction() as session:
            await accounts.note_use(session, caller.id)


def known_caller(request: Request) -> Caller:
    """The caller that `identify_caller` has found."""
    caller: Caller = request.scope[CALLER]
    return caller


@asynccontextmanager
async def write_as(caller: Caller, runtime: Runtime) -> AsyncIterator[Session]:
    """A transaction in which the caller is identified again. Raises Refused("not_authenticated")."""
    async with runtime.database.transaction() as session:
        await ensure_live(session, caller.identity)
        yield session


async def identify_operator(request: Request, runtime: ServiceRuntime) -> Operator:
    """Authenticates a request to `/admin`, and counts it as `identify_caller` does.

    Raises Refused: not_authenticated, not_allowed (a key of an account), too_many_requests.
    """
    try:
        operator = await find_operator(request, runtime)
    except Refused:
        await count_request(request, runtime, f"address:{client_bucket(request)}")
        raise
    await count_request(request, runtime, f"key:{operator.id}")
    if operator.stale:
        with suppress(DatabaseUnavailable):
            async with runtime.database.transaction() as session:
                await operators.note_use(session, operator.id)
    request.scope[CALLER] = Caller(NO_ACCOUNT, "", Identity(operator.id), frozenset())
    act_as("operator", operator.id)
    return operator


async def find_operator(request: Request, runtime: Runtime) -> Operator:
    """Raises Refused: not_authenticated, not_allowed."""
    async with runtime.database.read() as session:
        operator = await authenticate_operator(session, read_credentials(request.headers), pepper=runtime.pepper)
    if operator is None:
        await find_caller(request, runtime)
        raise Refused("not_allowed", NOT_AN_OPERATOR)
    return operator


@asynccontextmanager
async def administer_as(operator: Operator, runtime: Runtime) -> AsyncIterator[Session]:
    """A transaction in which the operator is identified again. Raises Refused("not_authenticated")."""
    async with runtime.database.transaction() as session:
        await ensure_operator(session, operator)
        yield session


def client_bucket(request: Request) -> str:
    """The address that a request comes from, as `group_address` counts it."""
    return group_address(request.client.host if request.client else "")


async def find_caller(request: Request, runtime: Runtime) -> Caller:
    """Raises Refused("not_authenticated")."""
    try:
        return await load_caller(request, runtime)
    except DatabaseUnavailable:
        # PostgreSQL has restarted since the pool opened its connections; the next one is fresh. Checking each
        # connection before each request took a fifth of the time of a poll.
        return await load_caller(request, runtime)


async def load_caller(request: Request, runtime: Runtime) -> Caller:
    return await authenticate(runtime.database, read_credentials(request.headers), pepper=runtime.pepper)


def ensure_scope(caller: Caller, scope: str) -> None:
    """Raises Refused("not_allowed")."""
    if caller.has_scope(scope):
        return
    if caller.identity.session_hash is not None:
        raise Refused("not_allowed", f"{explain_scope(scope)} Ask an admin of {caller.account}")
    raise Refused("not_allowed", f"The API key does not have the scope `{scope}`")


def explain_scope(scope: str) -> str:
    """What a person without the scope is told, in a sentence."""
    return f"You may not {DEEDS[scope]}."


def ensure_may_replace(caller: Caller, *, replaces: bool) -> None:
    """What `replaces` a type, or deletes records, is for those who may delete. Raises Refused("not_allowed")."""
    if replaces:
        ensure_scope(caller, "imports:delete")


IdentifiedCaller = Annotated[Caller, Depends(identify_caller)]


@dataclass(frozen=True, slots=True)
class RequireScope:
    """Requires that the caller's key has a scope and, for an access token, that the token covers the area.

    It looks at headers only: no byte of the body has been read by then.
    """

    scope: str
    area: str = EVERY_AREA

    async def __call__(self, caller: IdentifiedCaller) -> Caller:
        """Raises Refused: not_authenticated, too_many_requests, not_allowed."""
        ensure_scope(caller, self.scope)
        if not caller.can_reach(self.area):
            raise Refused("not_allowed", f"The access token does not have the scope `{self.area}`")
        return caller


@dataclass(frozen=True, slots=True)
class RequireAnyScope:
    """Requires that the caller's key has at least one of these scopes. The route shows what each of them allows."""

    scopes: tuple[str, ...]

    async def __call__(self, caller: IdentifiedCaller) -> Caller:
        """Raises Refused: not_authenticated, too_many_requests, not_allowed."""
        if not any(map(caller.has_scope, self.scopes)):
            needed = join_choices(f"`{scope}`" for scope in dict.fromkeys(self.scopes))  # kinds may share one
            raise Refused("not_allowed", f"The API key does not have the scope {needed}")
        return await RequireScope(next(filter(caller.has_scope, self.scopes)))(caller)


MayOperate = Annotated[Operator, Depends(identify_operator)]
MayAdminister = Annotated[Caller, Depends(RequireScope("admin"))]
MayReadRuns = Annotated[Caller, Depends(RequireAnyScope(tuple(rules.read_scope for rules in KINDS.values())))]
MayWriteRuns = Annotated[Caller, Depends(RequireAnyScope(tuple(rules.write_scope for rules in KINDS.values())))]
MayReadImports = Annotated[Caller, Depends(RequireScope("imports:read"))]
MayWriteImports = Annotated[Caller, Depends(RequireScope("imports:write"))]
MayDeleteImports = Annotated[Caller, Depends(RequireScope("imports:delete"))]
MayReadRecords = Annotated[Caller, Depends(RequireScope("records:read"))]
MayReadTypes = Annotated[Caller, Depends(RequireScope("types:read"))]
MayReadMappings = Annotated[Caller, Depends(RequireScope("mappings:read"))]
MayWriteMappings = Annotated[Caller, Depends(RequireScope("mappings:write"))]
MayReadConnections = Annotated[Caller, Depends(RequireScope("connections:read"))]
MayWriteConnections = Annotated[Caller, Depends(RequireScope("connections:write"))]
MayReadExports = Annotated[Caller, Depends(RequireScope("exports:read"))]
MayWriteExports = Annotated[Caller, Depends(RequireScope("exports:write"))]
MayReadSyncs = Annotated[Caller, Depends(RequireScope("syncs:read"))]
MayWriteSyncs = Annotated[Caller, Depends(RequireScope("syncs:write"))]
MayReadSchedules = Annotated[Caller, Depends(RequireScope("schedules:read"))]
MayWriteSchedules = Annotated[Caller, Depends(RequireScope("schedules:write"))]
MayReadFeeds = Annotated[Caller, Depends(RequireScope("feeds:read"))]
MayWriteFeeds = Annotated[Caller, Depends(RequireScope("feeds:write"))]
MayReadWebhooks = Annotated[Caller, Depends(RequireScope("webhooks:read"))]
MayWriteWebhooks = Annotated[Caller, Depends(RequireScope("webhooks:write"))]
MayReadAudit = Annotated[Caller, Depends(RequireScope("audit:read"))]
MayWriteTypes = Annotated[Caller, Depends(RequireScope("types:write"))]
