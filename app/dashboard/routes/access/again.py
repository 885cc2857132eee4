"""Asks for the password again before something dangerous, as a field of the form, so that nothing typed is lost."""

from fastapi import Request
from starlette.datastructures import FormData

from app.dashboard.visitor import Visitor
from app.errors import Complaint, Refused
from app.people.sign_in import confirm
from app.runtime import Runtime
from app.web.caller import client_bucket

FIELD = "password_again"
MISSING = "You signed in more than 15 minutes ago. Type your password, or your API key, again"


async def ensure_confirmed(request: Request, visitor: Visitor, runtime: Runtime, sent: FormData) -> None:
    """Whoever typed the password in the last 15 minutes is not asked. Raises what `confirm` raises, with a complaint
    about the field."""
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
