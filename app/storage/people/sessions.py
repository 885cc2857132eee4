"""Sessions of the dashboard, by the hashes of their cookies. Each belongs to a person or to an API key."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping, text

from app.storage.access.accounts import LIVE_KEY, ensure_active
from app.storage.database import ReadSession, Session

IDLE_SECONDS: Final = 12 * 3600
LONGEST_SECONDS: Final = 7 * 86_400
MOST: Final = 50  # of one person or key
SEEN_SECONDS: Final = 60  # `seen_at` is written at most once in so many seconds
LIVE: Final = f"s.expires_at > now() AND s.seen_at > now() - make_interval(secs => {IDLE_SECONDS})"
# A session lives as long as the key is live, or the person belongs to the account.
OWNED: Final = f"""
FROM sessions s JOIN accounts a ON a.id = s.account_id
LEFT JOIN people p ON p.id = s.person_id
LEFT JOIN memberships m ON m.person_id = s.person_id AND m.account_id = s.account_id AND m.joined_at IS NOT NULL
LEFT JOIN api_keys k ON k.id = s.key_id AND {LIVE_KEY}
WHERE s.hash = :hash AND {LIVE} AND (m.person_id IS NOT NULL OR k.id IS NOT NULL)"""


async def add(session: Session, **values: Any) -> None:
    """`values`: hash, id, person_id, key_id, account_id. Of too many sessions of one owner those end that were seen
    longest ago."""
    await session.execute(
        text(
            "INSERT INTO sessions (hash, id, person_id, key_id, account_id, created_at, seen_at, confirmed_at, "
            "expires_at) VALUES (:hash, :id, :person_id, :key_id, :account_id, now(), now(), now(), "
            "now() + make_interval(secs => :seconds))"
        ),
        {**values, "seconds": LONGEST_SECONDS},
    )
    await session.execute(
        text(
            "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions "
            "WHERE person_id = :person_id OR key_id = :key_id ORDER BY seen_at DESC, created_at DESC OFFSET :most)"
        ),
        {"person_id": values["person_id"], "key_id": values["key_id"], "most": MOST},
    )


async def live(session: ReadSession, hashed: bytes) -> RowMapping | None:
    """id, account_id, account (name), quotas (of the account), person_id, email, name, theme and role of a person,
    key_id, label and scopes of a key; suspended: the account is; confirmed_seconds: since the password was typed;
    stale: `seen_at` has to be written again."""
    found = await session.execute(
        text(
            "SELECT s.id, s.account_id, a.name AS account, a.quotas, s.person_id, p.email, p.name, p.theme, m.role, "
            "s.key_id, k.label, k.scopes, a.suspended_at IS NOT NULL AS suspended, "
            "CAST(extract(epoch FROM now() - s.confirmed_at) AS integer) AS confirmed_seconds, "
            f"s.seen_at < now() - make_interval(secs => {SEEN_SECONDS}) AS stale {OWNED}"
        ),
        {"hash": hashed},
    )
    return found.mappings().one_or_none()


async def hold(session: Session, hashed: bytes, *, account_id: int | None, role: str | None) -> bool:
    """Whether the session is live, in this account and, of a person, with this role. It cannot be ended until the
    transaction ends. Raises Refused("account_suspended")."""
    found = await session.execute(
        text(
            f"SELECT a.suspended_at IS NOT NULL {OWNED} AND s.account_id = :account_id "
            "AND m.role IS NOT DISTINCT FROM CAST(:role AS text) FOR SHARE OF s"
        ),
        {"hash": hashed, "account_id": account_id, "role": role},
    )
    suspended = found.scalar_one_or_none()
    ensure_active(suspended=bool(suspended))
    return suspended is not None


async def touch(session: Session, hashed: bytes) -> None:
    """Notes that it was seen, unless somebody else does it just now."""
    await session.execute(
        text(
            "UPDATE sessions SET seen_at = now() WHERE hash = "
            "(SELECT hash FROM sessions WHERE hash = :hash FOR NO KEY UPDATE SKIP LOCKED)"
        ),
        {"hash": hashed},
    )


async def confirm(session: Session, hashed: bytes) -> None:
    """Notes that the password was typed."""
    await session.execute(text("UPDATE sessions SET confirmed_at = now() WHERE hash = :hash"), {"hash": hashed})


async def switch(session: Session, hashed: bytes, account_id: int) -> bool:
    """Turns to another account of the person. Whether they belong to it."""
    done = await session.execute(
        text(
            "UPDATE sessions s SET account_id = :account_id FROM memberships m WHERE s.hash = :hash "
            "AND m.person_id = s.person_id AND m.account_id = :account_id AND m.joined_at IS NOT NULL"
        ),
        {"hash": hashed, "account_id": account_id},
    )
    return done.rowcount == 1


async def of_owner(session: ReadSession, owner: Mapping[str, str | None]) -> Sequence[RowMapping]:
    """The live sessions of a person or a key, the newest first: id, account (name), created_at, seen_at. `owner`:
    person_id, key_id, one of them None."""
    found = await session.execute(
        text(
            "SELECT s.id, a.name AS account, s.created_at, s.seen_at FROM sessions s "
            "JOIN accounts a ON a.id = s.account_id "
            f"WHERE (s.person_id = :person_id OR s.key_id = :key_id) AND {LIVE} ORDER BY s.created_at DESC, s.id"
        ),
        owner,
    )
    return found.mappings().all()


async def count(session: ReadSession, account_id: int, owner_id: str) -> int:
    """The live sessions of a person or a key in this account."""
    found = await session.execute(
        text(
            "SELECT count(*) FROM sessions s WHERE (s.person_id = :owner_id OR s.key_id = :owner_id) "
            f"AND s.account_id = :account_id AND {LIVE}"
        ),
        {"account_id": account_id, "owner_id": owner_id},
    )
    return int(found.scalar_one())


async def end(session: Session, hashed: bytes) -> None:
    await session.execute(text("DELETE FROM sessions WHERE hash = :hash"), {"hash": hashed})


async def end_one(session: Session, owner: Mapping[str, str | None], session_id: str) -> None:
    await session.execute(
        text("DELETE FROM sessions WHERE id = :id AND (person_id = :person_id OR key_id = :key_id)"),
        {**owner, "id": session_id},
    )


async def end_all(session: Session, owner: Mapping[str, str | None], *, but: bytes = b"") -> int:
    """How many there were, apart from the one with the hash `but`."""
    done = await session.execute(
        text("DELETE FROM sessions WHERE (person_id = :person_id OR key_id = :key_id) AND hash <> :but"),
        {**owner, "but": but},
    )
    return done.rowcount


async def delete_expired(session: Session) -> int:
    """How many there were."""
    return (await session.execute(text(f"DELETE FROM sessions s WHERE NOT ({LIVE})"))).rowcount
