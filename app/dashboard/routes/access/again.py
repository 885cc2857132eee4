"""Asks for the password again before something dangerous, as a field of the form, so that nothing typed is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.datastructures import FormData

from app.dashboard.visitor import Visitor
from app.errors import Complaint, Refused
from app.people.sign_in import confirm
from app.runtime import Runtime
from app.storage.database import Session
from app.web.caller import client_bucket, write_as

FIELD = "password_again"
MISSING = "You signed in more than 15 minutes ago. Type your password, or your API key, again"


@asynccontextmanager
async def write_confirmed(
    request: Request, visitor: Visitor, runtime: Runtime, sent: FormData
) -> AsyncIterator[Session]:
    """A transaction of the visitor, who has proved to be the one that signed in. Raises what `ensure_confirmed` and
    `write_as` raise."""
    await ensure_confirmed(request, visitor, runtime, sent)
    async with write_as(visitor.caller, runtime) as session:
        yield session


async def ensure_confirmed(request: Request, visitor: Visitor, runtime: Runtime, sent: FormData) -> None:
    """Asks for the password, unless it was typed in the last 15 minutes. Raises what `confirm` raises, with a
    complaint about the field."""
    if visitor.session.confirmed:
        return
    secret = str(sent.get(FIELD, ""))
    if not secret:  # no try of somebody who guesses
        raise Refused("invalid", MISSING, [Complaint(FIELD, MISSING)])
    try:
        await confirm(runtime, visitor.session, secret, address=client_bucket(request))
    except Refused as refused:
        raise Refused(
            "invalid" if refused.code == "not_authenticated" else refused.code,
            refused.detail,
            [Complaint(FIELD, refused.detail)],
            retry_after=refused.retry_after,
        ) from None
