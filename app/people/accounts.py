"""What somebody who has signed in sets for themselves: the account that they look at, and their colours."""

from dataclasses import dataclass
from typing import Final

from app.errors import Complaint, Refused, join_choices
from app.people.sessions import OpenSession, hash_of
from app.storage.database import ReadSession, Session
from app.storage.people import members, sessions

THEMES: Final = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """An account that a person belongs to, and what they are there."""

    account_id: int
    account: str
    role: str


async def list_accounts(session: ReadSession, opened: OpenSession) -> list[OwnAccount]:
    """Those that the person belongs to, by name; none for a key, which is of one account."""
    if opened.role is None:
        return []
    return [OwnAccount(**row) for row in await members.memberships(session, opened.identity.id)]


async def switch_account(session: Session, opened: OpenSession, wanted: str) -> str:
    """Turns to the account with this id, and returns its name. Raises Refused("not_found") unless the person belongs to
    it."""
    for place in await list_accounts(session, opened):
        if str(place.account_id) == wanted and await sessions.switch(session, hash_of(opened), place.account_id):
            return place.account
    raise Refused("not_found", "You do not belong to this account")


async def set_theme(session: Session, opened: OpenSession, theme: str) -> None:
    """For all sessions of the person. Raises Refused: invalid, not_allowed (a key has none)."""
    if theme not in THEMES:
        reason = f"The colours must be one of {join_choices(THEMES)}"
        raise Refused("invalid", reason, [Complaint("theme", reason)])
    if opened.role is None:
        raise Refused("not_allowed", "An API key has no colours of its own. Sign in as a person to choose some")
    await members.set_theme(session, opened.identity.id, theme)
