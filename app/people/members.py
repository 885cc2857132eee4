"""Who belongs to an account: invited, listed, given another role, removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email

from app.errors import Complaint, Refused, join_choices
from app.people.links import make_link
from app.people.roles import ROLES
from app.runs.model import AccountId
from app.storage.access import accounts
from app.storage.database import ReadSession, Session
from app.storage.people import members as stored

LONGEST_NAME: Final = 200
MOST_MEMBERS: Final = 500  # of one account
ADMIN: Final = "admin"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who is to belong to an account, and as what."""

    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to an account, or is invited to."""

    id: str
    email: str
    name: str
    role: str
    created_by: str | None  # the person or the API key that invited them; None: the operator
    created_at: datetime
    joined_at: datetime | None  # None: they have not used their link yet
    signed_in_at: datetime | None  # to any account


def check_invitation(invitation: Invitation) -> Invitation:
    """In the form in which it is stored: an address in lower case, and a name in any case. Raises Refused("invalid")
    with everything that is wrong."""
    complaints = []
    name, email = invitation.name.strip(), invitation.email.strip()
    try:
        email = validate_email(email, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        complaints.append(Complaint("email", "`email` must be an e-mail address, like `ana@shop.example`"))
    if len(name) > LONGEST_NAME or not name.isprintable():
        complaints.append(Complaint("name", f"`name` must be one line of at most {LONGEST_NAME} characters"))
    if invitation.role not in ROLES:
        complaints.append(Complaint("role", f"`role` must be one of {join_choices(ROLES)}"))
    if complaints:
        raise Refused("invalid", ". ".join(each.reason for each in complaints), complaints)
    return Invitation(email, name or invitation.email.strip().partition("@")[0], invitation.role)


async def list_members(session: ReadSession, account_id: AccountId) -> list[Member]:
    """By their addresses."""
    return [read_member(row) for row in await stored.members(session, account_id)]


async def load_member(session: ReadSession, account_id: AccountId, person_id: str) -> Member:
    """Raises Refused("not_found")."""
    rows = await stored.members(session, account_id, person_id)
    if not rows:
        raise Refused("not_found", "There is no such person in this account")
    return read_member(rows[0])


def read_member(row: Mapping[Any, Any]) -> Member:
    return Member(**{name: row[name] for name in Member.__dataclass_fields__})


async def invite(
    session: Session, account_id: AccountId, wanted: Invitation, *, pepper: str, created_by: str | None
) -> tuple[Member, str]:
    """The new member, and the token of a link by which the person takes the invitation. One without a password sets
    one there, and all others type theirs: nobody else can take it by having been first to use the address.

    Raises Refused: invalid, name_taken.
    """
    invitation = check_invitation(wanted)
    await accounts.lock(session, account_id)
    if len(await stored.members(session, account_id)) >= MOST_MEMBERS:
        raise Refused("invalid", f"An account can have {MOST_MEMBERS} people. Remove some first")
    person_id = await stored.add_person(session, email=invitation.email, name=invitation.name)
    if not await stored.add_member(
        session, person_id=person_id, account_id=account_id, role=invitation.role, created_by=created_by
    ):
        reason = f"`{invitation.email}` is already in this account"
        raise Refused("name_taken", reason, [Complaint("email", reason)])
    token = await make_link(session, person_id, account_id, pepper=pepper)
    return await load_member(session, account_id, person_id), token


async def renew_link(session: Session, account_id: AccountId, person_id: str, *, pepper: str) -> str:
    """The token of a new link: to take the invitation, or to set another password. An earlier one does not work any
    more. Raises Refused: not_found, belongs_elsewhere."""
    await accounts.lock(session, account_id)
    member = await load_member(session, account_id, person_id)
    if member.joined_at is None:
        return await make_link(session, person_id, account_id, pepper=pepper)
    if await stored.count_others(session, account_id, person_id):
        raise Refused(
            "belongs_elsewhere",
            f"{member.name} belongs to other accounts, too, so only the operator can reset their password: "
            f"`sluice person reset --email {member.email}`",
        )
    return await make_link(session, person_id, account_id, pepper=pepper, resets=True)


async def change_role(session: Session, account_id: AccountId, person_id: str, role: str) -> Member:
    """From the next request on. Raises Refused: not_found, invalid, last_admin."""
    if role not in ROLES:
        reason = f"`role` must be one of {join_choices(ROLES)}"
        raise Refused("invalid", reason, [Complaint("role", reason)])
    await accounts.lock(session, account_id)
    member = await load_member(session, account_id, person_id)
    if role != ADMIN:
        await ensure_other_admin(session, account_id, member)
    await stored.set_role(session, account_id, person_id, role)
    return await load_member(session, account_id, person_id)


async def remove(session: Session, account_id: AccountId, person_id: str) -> None:
    """Their sessions end with the next request. Raises Refused: not_found, last_admin."""
    await accounts.lock(session, account_id)
    member = await load_member(session, account_id, person_id)
    await ensure_other_admin(session, account_id, member)
    await stored.remove_member(session, account_id, person_id)


async def ensure_other_admin(session: ReadSession, account_id: AccountId, leaving: Member) -> None:
    """Raises Refused("last_admin") if others would be left behind without anybody who can let people in."""
    others = [each for each in await list_members(session, account_id) if each.id != leaving.id]
    is_admin = leaving.role == ADMIN and leaving.joined_at is not None
    if is_admin and others and not any(each.role == ADMIN and each.joined_at for each in others):
        raise Refused(
            "last_admin", f"{leaving.name} is the only admin of this account. Make somebody else an admin first"
        )
