"""What the operator of the service may do with people of all accounts: the commands `sluice person …`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import Refused
from app.people.links import make_link
from app.people.members import ADMIN, Invitation, check_invitation
from app.storage.access import accounts
from app.storage.database import ReadSession, Session
from app.storage.people import members


@dataclass(frozen=True, slots=True)
class EnrolledPerson:
    """Somebody who may come into an account, and the token of their link."""

    token: str = field(repr=False)
    sets_password: bool  # else they type the one that they have


async def enroll(session: Session, account: str, wanted: Invitation, *, pepper: str) -> EnrolledPerson:
    """Lets somebody into an account, which is created if it is new. Without a role the first one is an admin.

    A person with a password from another account is invited: it may be that the admin of that one has invented the
    person, and knows it. Raises Refused: invalid, name_taken.
    """
    account_id = await accounts.account_named(session, account)
    await accounts.lock(session, account_id)
    is_first = not await members.members(session, account_id)
    invitation = check_invitation(Invitation(wanted.email, wanted.name, wanted.role or (ADMIN if is_first else "")))
    person_id = await members.add_person(session, email=invitation.email, name=invitation.name)
    if not await members.add_member(
        session, person_id=person_id, account_id=account_id, role=invitation.role, created_by=None
    ):
        raise Refused("name_taken", f"`{invitation.email}` is already in this account")
    person = await members.hold_person(session, person_id)
    if person is not None and person["password"] is not None:
        return EnrolledPerson(await make_link(session, person_id, account_id, pepper=pepper), sets_password=False)
    await members.join(session, person_id, account_id)
    return EnrolledPerson(await make_link(session, person_id, None, pepper=pepper, resets=True), sets_password=True)


async def reset(session: Session, email: str, *, pepper: str) -> str:
    """The token of a link that sets another password. Until it is used, the old one works. Raises
    Refused("not_found")."""
    person = await find_person(session, email)
    return await make_link(session, person["id"], None, pepper=pepper, resets=True)


async def expel(session: Session, account: str, email: str) -> None:
    """Takes somebody out of an account, even the last admin. Raises Refused("not_found")."""
    person, account_id = await find_person(session, email), await accounts.find_account(session, account)
    if account_id is None or not await members.members(session, account_id, person["id"]):
        raise Refused("not_found", f"`{email}` is not in the account {account}")
    await members.remove_member(session, account_id, person["id"])


async def find_person(session: ReadSession, email: str) -> Mapping[Any, Any]:
    """Raises Refused("not_found")."""
    person = await members.find_person(session, email.strip().lower())
    if person is None:
        raise Refused("not_found", f"There is nobody with the address {email}")
    return person
