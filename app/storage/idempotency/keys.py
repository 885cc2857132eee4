"""Claims idempotency keys, keeps the answer of the request that has one, and forgets them when they expire."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Interval, RowMapping, cast, delete, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.storage.database import ReadSession, Session
from app.storage.idempotency.tables import idempotency_keys as keys

KEPT_HOURS: Final = 24
CLAIM_SECONDS: Final = 30  # a request that is at work renews its claim well before


def _in(amount: int, unit: str) -> ColumnElement[Any]:
    return func.now() + cast(literal(f"{amount} {unit}"), Interval)


def _claimed() -> dict[str, ColumnElement[Any]]:
    return {"claimed_until": _in(CLAIM_SECONDS, "seconds")}


def _moments() -> dict[str, ColumnElement[Any]]:
    return {**_claimed(), "expires_at": _in(KEPT_HOURS, "hours")}


async def claim(session: Session, account_id: int, key: str, claim_id: str) -> bool:
    """Gives the key to a request. False if another one has it, or has been answered: of several one succeeds."""
    nothing = dict.fromkeys(("fingerprint", "status", "headers", "body"))
    dead = keys.c.status.is_(None) & (keys.c.claimed_until < func.now())
    claimed = await session.execute(
        insert(keys)
        .values(account_id=account_id, key=key, claim=claim_id, **_moments())
        .on_conflict_do_update(
            index_elements=[keys.c.account_id, keys.c.key],
            set_={"claim": claim_id, **_moments(), **nothing},
            where=or_(dead, keys.c.expires_at < func.now()),
        )
        .returning(keys.c.claim)
    )
    return claimed.one_or_none() is not None


async def renew(session: Session, account_id: int, key: str, claim_id: str) -> None:
    """Keeps the key for the request, if it still has it."""
    await session.execute(update(keys).where(*_is(account_id, key), *_claimed_by(claim_id)).values(_claimed()))


async def release(session: Session, account_id: int, key: str, claim_id: str) -> None:
    """Lets go of a key whose request was refused or has failed."""
    await session.execute(delete(keys).where(*_is(account_id, key), *_claimed_by(claim_id)))


async def keep(session: Session, account_id: int, key: str, claim_id: str, answer: Mapping[str, Any]) -> bool:
    """Stores the answer: `fingerprint`, `status`, `headers`, `body`. False if another request has the key by now. A
    request that stores at the same moment is waited for."""
    kept = await session.execute(
        insert(keys)
        .values(account_id=account_id, key=key, claim=claim_id, **_moments(), **answer)
        .on_conflict_do_update(
            index_elements=[keys.c.account_id, keys.c.key],
            set_={"claim": claim_id, **_moments(), **answer},
            where=or_(keys.c.status.is_(None) & (keys.c.claim == claim_id), keys.c.expires_at < func.now()),
        )
        .returning(keys.c.claim)
    )
    return kept.one_or_none() is not None


async def get(session: ReadSession, account_id: int, key: str) -> RowMapping | None:
    """The key with its answer, unless it has expired."""
    found = await session.execute(select(*keys.c).where(*_is(account_id, key), keys.c.expires_at > func.now()))
    return found.mappings().one_or_none()


async def delete_expired(session: Session, *, limit: int = 10_000) -> int:
    """How many there were, at most `limit`."""
    deleted = await session.execute(
        text(
            "DELETE FROM idempotency_keys k USING (SELECT account_id, key FROM idempotency_keys "
            "WHERE expires_at <= now() LIMIT :limit FOR UPDATE SKIP LOCKED) AS old "
            "WHERE k.account_id = old.account_id AND k.key = old.key"
        ),
        {"limit": limit},
    )
    return deleted.rowcount


def _is(account_id: int, key: str) -> tuple[ColumnElement[bool], ...]:
    return keys.c.account_id == account_id, keys.c.key == key


def _claimed_by(claim_id: str) -> tuple[ColumnElement[bool], ...]:
    return keys.c.claim == claim_id, keys.c.status.is_(None)
