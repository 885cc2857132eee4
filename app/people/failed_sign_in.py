"""Notes in the audit log that somebody has failed to sign in: whom they said to be, and from where."""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from email_validator import EmailNotValidError, validate_email

from app.errors import Retryable, shorten_name
from app.observe.acting import ACTING, Acting, acting
from app.runtime import Runtime
from app.storage.audit.noting import note_deed
from app.storage.database import Session
from app.storage.people import members
from app.throttle import RateLimit

ACTION: Final = "person.sign_in_failed"
LONGEST_EMAIL: Final = 254  # characters, by RFC 5321
# Whoever guesses cannot fill the log. What goes beyond is not noted.
OF_PERSON, OF_ADDRESS, OF_STRANGERS = RateLimit(20, 3_600), RateLimit(20, 3_600), RateLimit(200, 3_600)


async def note_failed_sign_in(runtime: Runtime, email: str, *, address: str) -> None:
    """Notes it in each account of the person, or for the operator if there is nobody with this address.

    Call it when the answer is sent: what is noted takes time, which would tell whether there is such a person. Does
    nothing while PostgreSQL or Redis is away.
    """
    with suppress(Retryable):
        async with runtime.database.read() as session:
            person = await members.find_person(session, email.strip().lower())
        person_id = None if person is None else str(person["id"])
        if await may_note(runtime, person_id, address):
            await note(runtime, person_id, email)


async def may_note(runtime: Runtime, person_id: str | None, address: str) -> bool:
    """Whether the log has had fewer of these in this hour. What strangers try does not count against people. Raises
    CannotCount."""
    limits = (
        [(person_id, OF_PERSON)] if person_id else [(f"address:{address}", OF_ADDRESS), ("strangers", OF_STRANGERS)]
    )
    for who, rate in limits:
        if (await runtime.throttle.take_strictly(f"failed-sign-in:{who}", rate)).retry_after is not None:
            return False
    return True


async def note(runtime: Runtime, person_id: str | None, email: str) -> None:
    """In the name of a person who is not known."""
    with acting(replace(ACTING.get() or Acting(), kind="person", id=None)):
        async with runtime.database.transaction() as session:
            await note_each(session, person_id, email)


async def note_each(session: Session, person_id: str | None, email: str) -> None:
    """The person is held, so that no account of theirs is deleted meanwhile and leaves a row behind."""
    held = None if person_id is None else await members.hold_person(session, person_id)
    belongs = [] if held is None else await members.memberships(session, held["id"])
    name = readable(email) if held is None else str(held["email"])
    for account_id in [each["account_id"] for each in belongs] or [None]:
        await note_deed(session, account_id, ACTION, person_id, name)


def readable(email: str) -> str | None:
    """What was typed for an address; None if it is none. It may be a password, typed into the wrong field."""
    try:
        validate_email(email[: LONGEST_EMAIL + 1], check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return shorten_name(email)
