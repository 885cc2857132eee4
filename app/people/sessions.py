"""Sessions of the dashboard: who has signed in, until when, and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex, token_urlsafe
from typing import Any, Final

from app.auth.identity import Identity
from app.auth.tokens import token_hash
from app.people.roles import ROLES
from app.quotas.quota import OwnQuotas
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.access import accounts
from app.storage.database import ReadSession, Session
from app.storage.people import sessions

CONFIRMED_SECONDS: Final = 15 * 60  # for so long a password that was typed is enough for what is dangerous


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Somebody who has signed in: a person, or somebody with an API key."""

    id: str
    account_id: AccountId
    account: str
    identity: Identity
    name: str  # of the person, or of the key
    scopes: frozenset[str]
    role: str | None  # None: a key
    email: str | None
    theme: str
    confirmed: bool  # the password was typed a moment ago
    stale: bool  # it has to be noted that the session was seen
    suspended: bool = False  # the account is
    quotas: OwnQuotas = field(default_factory=dict)  # of the account's own

    @property
    def owner(self) -> Mapping[str, str | None]:
        is_person = self.role is not None
        return {
            "person_id": self.identity.id if is_person else None,
            "key_id": None if is_person else self.identity.id,
        }


@dataclass(frozen=True, slots=True)
class ListedSession:
    """One of the sessions of a person or key, as its owner sees it."""

    id: str
    account: str
    created_at: datetime
    seen_at: datetime  # to the minute


async def start_session(
    session: Session, account_id: int, *, pepper: str, person_id: str | None = None, key_id: str | None = None
) -> str:
    """Stores a new session and returns the value of its cookie, which is stored nowhere."""
    value = token_urlsafe(32)
    hashed = token_hash(value, pepper)
    await sessions.add(session, hash=hashed, id=token_hex(8), person_id=person_id, key_id=key_id, account_id=account_id)
    return value


async def find_session(session: ReadSession, cookie: str, *, pepper: str) -> OpenSession | None:
    """None for a cookie whose session has ended or never was."""
    hashed = token_hash(cookie, pepper)
    row = await sessions.live(session, hashed)
    return None if row is None else read_session(row, hashed)


def read_session(row: Mapping[Any, Any], hashed: bytes) -> OpenSession:
    person = row["person_id"]
    scopes = frozenset(row["scopes"]) if person is None else ROLES[row["role"]].scopes
    return OpenSession(
        id=row["id"],
        account_id=AccountId(row["account_id"]),
        account=row["account"],
        identity=Identity(person or row["key_id"], session_hash=hashed, account_id=row["account_id"], role=row["role"]),
        name=row["name"] if person else row["label"] or row["key_id"],
        scopes=scopes,
        role=row["role"],
        email=row["email"],
        theme=row["theme"] or "system",
        confirmed=row["confirmed_seconds"] < CONFIRMED_SECONDS,
        stale=row["stale"],
        suspended=row["suspended"],
        quotas=row["quotas"],
    )


async def note_seen(runtime: Runtime, opened: OpenSession) -> None:
    """Keeps the session from being idle, and writes the last use of its key."""
    async with runtime.database.transaction() as session:
        await sessions.touch(session, hash_of(opened))
        if opened.role is None:
            await accounts.note_use(session, opened.identity.id)


async def list_sessions(session: ReadSession, opened: OpenSession) -> list[ListedSession]:
    """All live ones of the same person or key, the newest first."""
    return [ListedSession(**row) for row in await sessions.of_owner(session, opened.owner)]


async def count_sessions(session: ReadSession, account_id: AccountId, owner_id: str) -> int:
    """The live ones of a person or a key in this account."""
    return await sessions.count(session, account_id, owner_id)


async def end_session(session: Session, opened: OpenSession) -> None:
    await sessions.end(session, hash_of(opened))


async def end_one(session: Session, opened: OpenSession, session_id: str) -> None:
    """Ends a session of the same person or key."""
    await sessions.end_one(session, opened.owner, session_id)


async def end_others(session: Session, opened: OpenSession) -> int:
    """Ends all other sessions of the same person or key. Returns how many there were."""
    return await sessions.end_all(session, opened.owner, but=hash_of(opened))


def hash_of(opened: OpenSession) -> bytes:
    hashed = opened.identity.session_hash
    assert hashed is not None  # noqa: S101  a session is known by it
    return hashed
