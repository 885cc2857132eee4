"""Links with which somebody sets a password or takes an invitation: once, and within a day."""

import re
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Final

from app.auth.tokens import token_hash
from app.errors import Refused
from app.observe.acting import act_as
from app.people.passwords import check_password, hash_password, verify_password
from app.people.sessions import start_session
from app.people.sign_in import count_try, wrong
from app.runtime import Runtime
from app.storage.database import ReadSession, Session
from app.storage.people import links, members, sessions

LINK_SECONDS: Final = 86_400
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
WRONG: Final = "The password is not right. Type the one that you sign in with"
NOT_SET: Final = "You have no password yet. First use the link of the other account that you belong to, then this one"
USED: Final = "This link has been used or is older than 24 hours. Ask for a new one"


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that can be used, and what it does."""

    hash: bytes = field(repr=False)
    person_id: str
    email: str
    name: str
    account_id: int | None  # that it leads to; None: it is the operator's
    account: str | None
    sets_password: bool  # else the person types the one that they have
    password: str | None = field(repr=False)  # as it is stored


async def make_link(
    session: Session, person_id: str, account_id: int | None, *, pepper: str, resets: bool = False
) -> str:
    """The token of a new link, which is stored nowhere. An earlier one of this account does not work any more."""
    token = token_urlsafe(32)
    await links.add(
        session,
        token_hash(token, pepper),
        person_id=person_id,
        account_id=account_id,
        resets=resets,
        seconds=LINK_SECONDS,
    )
    return token


def link_path(token: str) -> str:
    return f"/app/welcome/{token}"


async def read_link(session: ReadSession, token: str, *, pepper: str) -> OpenLink:
    """Raises Refused("gone")."""
    hashed = token_hash(token, pepper)
    row = await links.live(session, hashed) if TOKEN.fullmatch(token) else None
    if row is None:
        raise Refused("gone", USED)
    return OpenLink(
        hash=hashed,
        person_id=row["person_id"],
        email=row["email"],
        name=row["name"],
        account_id=row["account_id"],
        account=row["account"],
        # The admin of one account cannot get at another one by a link for somebody who belongs to both, not even before
        # that person has a password.
        sets_password=not row["others"] and (row["password"] is None or row["resets"]),
        password=row["password"],
    )


async def use_link(runtime: Runtime, token: str, password: str, *, address: str) -> str:
    """Sets the password, or verifies it, and takes the invitation. Returns the cookie of a new session.

    Raises Refused: gone, invalid, not_authenticated, too_many_requests; Retryable if tries cannot be counted.
    """
    async with runtime.database.read() as session:
        link = await read_link(session, token, pepper=runtime.pepper)
    if link.sets_password:
        check_password(password, email=link.email)
        hashed = await hash_password(password)
    else:
        await count_try(runtime, link.email, address)
        hashed = None
        if not await verify_password(password, link.password):
            raise wrong(NOT_SET if link.password is None else WRONG)
    act_as("person", link.person_id)
    async with runtime.database.transaction() as session:
        return await finish(session, link, token, hashed, pepper=runtime.pepper)


async def finish(session: Session, link: OpenLink, token: str, hashed: str | None, *, pepper: str) -> str:
    """Raises Refused("gone") if the link or the password has changed meanwhile."""
    held = await members.hold_person(session, link.person_id)
    same = held is not None and await read_link(session, token, pepper=pepper) == link
    if not same or not await links.use(session, link.hash):
        raise Refused("gone", USED)
    if hashed is not None:
        await renew_password(session, link.person_id, hashed)
    if link.account_id is not None:
        await members.join(session, link.person_id, link.account_id)
    belongs: list[int] = [each["account_id"] for each in await members.memberships(session, link.person_id)]
    if not belongs:
        raise Refused("gone", USED)
    await members.note_sign_in(session, link.person_id)
    account_id: int = link.account_id if link.account_id in belongs else belongs[0]
    return await start_session(session, account_id, pepper=pepper, person_id=link.person_id)


async def change_password(runtime: Runtime, email: str, password: str, *, but: bytes) -> None:
    """Sets a new password of somebody who has just typed the old one. All their sessions end, but for the one with the
    hash `but`. Raises Refused("invalid")."""
    check_password(password, email=email)
    hashed = await hash_password(password)
    async with runtime.database.transaction() as session:
        person = await members.find_person(session, email)
        assert person is not None  # noqa: S101  they have a session
        await renew_password(session, person["id"], hashed, but=but)


async def renew_password(session: Session, person_id: str, hashed: str, *, but: bytes = b"") -> None:
    """What the old password, or a link that replaces it, has opened or could open is closed."""
    await members.set_password(session, person_id, hashed)
    await links.drop_resets(session, person_id)
    await sessions.end_all(session, {"person_id": person_id, "key_id": None}, but=but)
