"""Accounts as the operator of the service sees them."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session

# What an account shows without counting what it has.
ACCOUNT: Final = "a.id, a.name, a.created_at, a.quotas, a.deleting_at, a.erased, a.suspended_at FROM accounts a"

# The number by which logs call an account finds it, unless another one has it as its name.
FIND: Final = f"""
SELECT {ACCOUNT} WHERE a.name = :name
    OR (CAST(a.id AS text) = :name AND NOT EXISTS (SELECT FROM accounts WHERE name = :name)) """


async def add(session: Session, name: str, quotas: str) -> bool:
    """Stores a new account; `quotas` are JSON. False if there is one with this name."""
    done = await session.execute(
        text(
            "INSERT INTO accounts (name, created_at, quotas) VALUES (:name, now(), CAST(:quotas AS jsonb)) "
            "ON CONFLICT (name) DO NOTHING"
        ),
        {"name": name, "quotas": quotas},
    )
    return done.rowcount == 1


async def find(session: ReadSession, name: str, *, hold: bool = False) -> RowMapping | None:
    """The account with this name, or else with this number: id, name, created_at, quotas, deleting_at, erased,
    suspended_at. With `hold` it is locked as by `accounts.lock`."""
    found = await session.execute(text(FIND + ("FOR NO KEY UPDATE OF a" if hold else "")), {"name": name})
    return found.mappings().one_or_none()


async def page(session: ReadSession, after: str | None, limit: int) -> Sequence[RowMapping]:
    """As `find`, in the order of their names by code points, after one."""
    found = await session.execute(
        text(
            f'SELECT {ACCOUNT} WHERE CAST(:after AS text) IS NULL OR a.name COLLATE "C" > :after '
            'ORDER BY a.name COLLATE "C" LIMIT :limit'
        ),
        {"after": after, "limit": limit},
    )
    return found.mappings().all()


async def set_quotas(session: Session, account_id: int, quotas: str) -> None:
    """`quotas` are JSON."""
    await session.execute(
        text("UPDATE accounts SET quotas = CAST(:quotas AS jsonb) WHERE id = :id"), {"id": account_id, "quotas": quotas}
    )


async def set_suspended(session: Session, account_id: int, *, suspended: bool) -> None:
    """What is so already is left alone."""
    await session.execute(
        text(
            "UPDATE accounts SET suspended_at = CASE WHEN :suspended THEN now() END "
            "WHERE id = :id AND (suspended_at IS NOT NULL) <> :suspended"
        ),
        {"id": account_id, "suspended": suspended},
    )


async def get_quotas(session: ReadSession, account_id: int) -> dict[str, int]:
    """The quotas of its own; empty for an account that is gone."""
    found = await session.execute(text("SELECT quotas FROM accounts WHERE id = :id"), {"id": account_id})
    return found.scalar_one_or_none() or {}
