"""Who looks at a page: a person or an API key, in one account at a time, with the scopes of a role or of the key.

The types of a route's signature stand at the end: `SignedIn`, `MayReadImports` and so on.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from app.auth.caller import Caller
from app.dashboard.forms import read_open_form
from app.dashboard.session import load_session
from app.errors import Refused
from app.observe.acting import act_as
from app.people.sessions import OpenSession, note_seen
from app.runs.kinds import KINDS
from app.runs.model import AccountId
from app.storage.access.accounts import ensure_active
from app.storage.database import DatabaseUnavailable
from app.web.caller import ServiceRuntime, client_bucket, explain_scope
from app.web.rate_limits import count_request
from app.web.server.connections import CALLER

VISITOR: Final = "visitor"  # where the scope of a request holds who sent it, once that is known
# Open pages ask for what is new by themselves. Nobody is there for that, so an idle session ends all the same.
FOLLOWING: Final = "/app/live"
KEY_ROLE: Final = "key"
# What people need to leave an account that is suspended: the page about themselves, where they turn to another one.
WAYS_OUT: Final = ("/app/me", "/app/me/account", "/app/sign-out")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in. `caller` is who they are to the engine."""

    session: OpenSession
    caller: Caller

    @property
    def account_id(self) -> AccountId:
        return self.session.account_id

    @property
    def account(self) -> str:
        """Its name."""
        return self.session.account

    @property
    def name(self) -> str:
        """The person's name, or the label of the key."""
        return self.session.name

    @property
    def role(self) -> str:
        """viewer, operator or admin; "key" for a sign-in with an API key."""
        return self.session.role or KEY_ROLE

    @property
    def scopes(self) -> frozenset[str]:
        return self.session.scopes

    @property
    def theme(self) -> str:
        """system, light or dark."""
        return self.session.theme

    def has_scope(self, scope: str) -> bool:
        return self.caller.has_scope(scope)


async def find_visitor(request: Request, runtime: ServiceRuntime) -> Visitor:
    """The visitor of this session, by the cookie alone: `Authorization` is for the APIs. Counts the request.

    Raises Refused: not_authenticated, which a page answers with the way to sign in; too_many_requests;
    account_suspended.
    """
    try:
        opened = await load_session(request, runtime)
    except DatabaseUnavailable:
        with suppress(Refused):  # the page that says so keeps what was typed
            await read_open_form(request)
        raise
    if opened is None:
        await count_stranger(request, runtime)
        raise Refused("not_authenticated", "Sign in to see this page")
    act_as("key" if opened.role is None else "person", opened.identity.id)
    await count_request(request, runtime, f"key:{opened.identity.id}")
    if opened.stale and request.scope["path"] != FOLLOWING:
        with suppress(DatabaseUnavailable):  # a database that cannot be written stops nobody from reading
            await note_seen(runtime, opened)
    caller = Caller(opened.account_id, opened.account, opened.identity, opened.scopes, quotas=opened.quotas)
    visitor = Visitor(opened, caller)
    request.scope[CALLER], request.scope[VISITOR] = visitor.caller, visitor
    if request.scope["path"] not in WAYS_OUT:
        ensure_active(suspended=opened.suspended)
    return visitor


async def count_stranger(request: Request, runtime: ServiceRuntime) -> None:
    """Counts a request of nobody in particular against its address. Raises Refused("too_many_requests")."""
    await count_request(request, runtime, f"address:{client_bucket(request)}")


SignedIn = Annotated[Visitor, Depends(find_visitor)]
STRANGER: Final = [Depends(count_stranger)]  # what every page needs that is open to people who are not signed in


@dataclass(frozen=True, slots=True)
class NeedScope:
    """Lets in visitors with at least one of these scopes."""

    scopes: tuple[str, ...]

    async def __call__(self, visitor: SignedIn) -> Visitor:
        """Raises Refused: not_authenticated, too_many_requests, not_allowed."""
        if not any(map(visitor.has_scope, self.scopes)):
            raise Refused("not_allowed", f"{explain_scope(self.scopes[0])} Ask an admin of {visitor.account}")
        return visitor


MayReadRuns = Annotated[Visitor, Depends(NeedScope(tuple(rules.read_scope for rules in KINDS.values())))]
MayWriteRuns = Annotated[Visitor, Depends(NeedScope(tuple(rules.write_scope for rules in KINDS.values())))]
MayDeleteRuns = Annotated[Visitor, Depends(NeedScope(("imports:delete", "exports:write")))]
MayReadImports = Annotated[Visitor, Depends(NeedScope(("imports:read",)))]
MayWriteImports = Annotated[Visitor, Depends(NeedScope(("imports:write",)))]
MayDeleteImports = Annotated[Visitor, Depends(NeedScope(("imports:delete",)))]
MayReadRecords = Annotated[Visitor, Depends(NeedScope(("records:read",)))]
MayReadTypes = Annotated[Visitor, Depends(NeedScope(("types:read",)))]
MayWriteTypes = Annotated[Visitor, Depends(NeedScope(("types:write",)))]
MayReadMappings = Annotated[Visitor, Depends(NeedScope(("mappings:read",)))]
MayWriteMappings = Annotated[Visitor, Depends(NeedScope(("mappings:write",)))]
MayReadConnections = Annotated[Visitor, Depends(NeedScope(("connections:read",)))]
MayWriteConnections = Annotated[Visitor, Depends(NeedScope(("connections:write",)))]
MayReadExports = Annotated[Visitor, Depends(NeedScope(("exports:read",)))]
MayWriteExports = Annotated[Visitor, Depends(NeedScope(("exports:write",)))]
MayReadSyncs = Annotated[Visitor, Depends(NeedScope(("syncs:read",)))]
MayWriteSyncs = Annotated[Visitor, Depends(NeedScope(("syncs:write",)))]
MayReadSchedules = Annotated[Visitor, Depends(NeedScope(("schedules:read",)))]
MayWriteSchedules = Annotated[Visitor, Depends(NeedScope(("schedules:write",)))]
MayReadWebhooks = Annotated[Visitor, Depends(NeedScope(("webhooks:read",)))]
MayWriteWebhooks = Annotated[Visitor, Depends(NeedScope(("webhooks:write",)))]
MayReadFeeds = Annotated[Visitor, Depends(NeedScope(("feeds:read",)))]
MayWriteFeeds = Annotated[Visitor, Depends(NeedScope(("feeds:write",)))]
MayStartJobs = Annotated[Visitor, Depends(NeedScope(("imports:write", "exports:write", "mappings:write")))]
MayReadAudit = Annotated[Visitor, Depends(NeedScope(("audit:read",)))]
MayAdminister = Annotated[Visitor, Depends(NeedScope(("admin",)))]
