"""Records as they are read: one by its key, a page of a type, and those that a batch has to look at."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session

# data::text, so that numbers keep the digits that were sent.
VIEW = "key, data::text AS data, created_at, updated_at, run_id"


async def get(session: ReadSession, account_id: int, type: str, key: str) -> RowMapping | None:
    """key, data (JSON text), created_at, updated_at, run_id."""
    found = await session.execute(
        text(f"SELECT {VIEW} FROM records WHERE account_id = :account_id AND type = :type AND key = :key"),
        {"account_id": account_id, "type": type, "key": key},
    )
    return found.mappings().one_or_none()


async def page(
    session: ReadSession, account_id: int, type: str, *, limit: int, after: str | None = None, offset: int = 0
) -> Sequence[RowMapping]:
    """Records of a type in the order of their keys, after the key `after`, without the first `offset`."""
    found = await session.execute(
        text(
            f"SELECT {VIEW} FROM records WHERE account_id = :account_id AND type = :type "
            "AND key > coalesce(CAST(:after AS text), '') ORDER BY key LIMIT :limit OFFSET :offset"
        ),
        {"account_id": account_id, "type": type, "after": after, "limit": limit, "offset": offset},
    )
    return found.mappings().all()


async def now(session: ReadSession) -> datetime:
    """PostgreSQL's time, by which records are created and changed."""
    moment: datetime = (await session.execute(text("SELECT now()"))).scalar_one()
    return moment


async def has_any(session: ReadSession, account_id: int, type: str) -> bool:
    """Whether the account has any record of that type."""
    found = await session.execute(
        text("SELECT EXISTS (SELECT FROM records WHERE account_id = :account_id AND type = :type)"),
        {"account_id": account_id, "type": type},
    )
    return bool(found.scalar_one())


async def find_existing_keys(session: Session, account_id: int, type: str, keys: Sequence[str]) -> set[str]:
    """Those of the keys that have a record. The records cannot be deleted until the transaction ends. No other import
    has to wait for that: FOR KEY SHARE conflicts only with a change of the key."""
    found = await session.execute(
        text(
            "SELECT key FROM records WHERE account_id = :account_id AND type = :type AND key = ANY(:keys) FOR KEY SHARE"
        ),
        {"account_id": account_id, "type": type, "keys": list(keys)},
    )
    return set(found.scalars())


async def lock(session: Session, account_id: int, type: str, keys: Sequence[str]) -> Sequence[RowMapping]:
    """Those of the keys that have a record: key, data (JSON text), run_seq. They stay locked until the transaction
    ends. They are locked in the order of the keys, as everywhere, so that two imports cannot wait for each other."""
    found = await session.execute(
        text(
            "SELECT key, data::text AS data, run_seq FROM records WHERE account_id = :account_id AND type = :type "
            "AND key = ANY(:keys) ORDER BY key FOR NO KEY UPDATE"
        ),
        {"account_id": account_id, "type": type, "keys": list(keys)},
    )
    return found.mappings().all()


async def delete(session: Session, account_id: int, type: str, key: str) -> bool:
    """Whether there was such a record. An import that is at work may create it again."""
    gone = await session.execute(
        text("DELETE FROM records WHERE account_id = :account_id AND type = :type AND key = :key RETURNING key"),
        {"account_id": account_id, "type": type, "key": key},
    )
    return gone.scalar_one_or_none() is not None
