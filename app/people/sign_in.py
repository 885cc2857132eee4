"""Signing in, with a password or an API key, and typing it again before something dangerous."""

import hashlib
from typing import Final

from app.auth.caller import Caller, authenticate
from app.auth.credentials import PresentedKey, parse_key
from app.errors import Complaint, Refused
from app.observe.acting import act_as
from app.people import sessions
from app.people.passwords import verify_password
from app.people.sessions import OpenSession
from app.runtime import Runtime
from app.storage.access import accounts
from app.storage.people import members
from app.storage.people import sessions as stored
from app.throttle import RateLimit

TRIES_OF_NAME, TRIES_OF_ADDRESS = RateLimit(5, 60), RateLimit(20, 60)
WRONG: Final = "Name or password is not right"  # the same for a name that does not exist
WRONG_KEY: Final = "The API key is unknown, revoked or wrong"
NO_KEY: Final = PresentedKey("", "")


async def sign_in(runtime: Runtime, email: str, password: str, *, address: str) -> str:
    """The cookie of a new session. `address`: where the request comes from.

    Raises Refused: not_authenticated, too_many_requests; Retryable if tries cannot be counted.
    """
    email = email.strip().lower()
    await count_try(runtime, email, address)
    async with runtime.database.read() as session:
        person = await members.find_person(session, email)
    if not await verify_password(password, person["password"] if person else None) or person is None:
        raise wrong(WRONG)
    act_as("person", person["id"])
    async with runtime.database.transaction() as session:
        held = await members.hold_person(session, person["id"])
        belongs = await members.memberships(session, person["id"])
        if held is None or held["password"] != person["password"] or not belongs:
            raise wrong(WRONG)
        await members.note_sign_in(session, person["id"])
        return await sessions.start_session(
            session, belongs[0]["account_id"], pepper=runtime.pepper, person_id=person["id"]
        )


async def sign_in_with_key(runtime: Runtime, key: str, *, address: str) -> str:
    """The cookie of a new session with the scopes of an API key, `id:secret`. Raises as `sign_in`."""
    caller = await verify_key(runtime, key, address=address)
    act_as("key", caller.id)
    async with runtime.database.transaction() as session:
        if not await accounts.hold_key(session, caller.id):
            raise wrong(WRONG_KEY)
        await accounts.note_use(session, caller.id)
        return await sessions.start_session(session, caller.account_id, pepper=runtime.pepper, key_id=caller.id)


async def confirm(runtime: Runtime, opened: OpenSession, secret: str, *, address: str) -> None:
    """Notes that somebody has typed their password or their whole API key again. Raises as `sign_in`."""
    if opened.email is None:
        caller = await verify_key(runtime, secret, address=address)
        right = caller.id == opened.identity.id
    else:
        right = await is_password_of(runtime, opened.email, secret, address=address)
    if not right:
        raise wrong(WRONG_KEY if opened.email is None else "The password is not right")
    async with runtime.database.transaction() as session:
        await stored.confirm(session, sessions.hash_of(opened))


async def is_password_of(runtime: Runtime, email: str, password: str, *, address: str) -> bool:
    """Raises Refused("too_many_requests"); Retryable if tries cannot be counted."""
    await count_try(runtime, email, address)
    async with runtime.database.read() as session:
        person = await members.find_person(session, email)
    return await verify_password(password, person["password"] if person else None)


async def verify_key(runtime: Runtime, key: str, *, address: str) -> Caller:
    """Raises as `sign_in`, and Refused("account_suspended")."""
    presented = parse_key(key.strip()) or NO_KEY
    await count_try(runtime, presented.key_id, address)
    try:
        return await authenticate(runtime.database, presented, pepper=runtime.pepper)
    except Refused as refused:
        if refused.code == "account_suspended":
            raise Refused(refused.code, refused.detail, [Complaint("", refused.detail)]) from None
        raise wrong(WRONG_KEY) from None


def wrong(reason: str) -> Refused:
    """A complaint about what was typed: without one, the refusal would say that nobody is signed in."""
    return Refused("not_authenticated", reason, [Complaint("", reason)])


async def count_try(runtime: Runtime, name: str, address: str) -> None:
    """Raises Refused("too_many_requests"), Retryable if tries cannot be counted: then nobody signs in."""
    hashed = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
    for who, rate in ((f"address:{address}", TRIES_OF_ADDRESS), (f"name:{hashed}", TRIES_OF_NAME)):
        left = await runtime.throttle.take_strictly(f"sign-in:{who}", rate)
        if left.retry_after is not None:
            raise Refused(
                "too_many_requests",
                f"There were too many attempts to sign in. Try again in {left.retry_after} seconds",
                retry_after=left.retry_after,
            )
