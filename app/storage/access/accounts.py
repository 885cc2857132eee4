"""Accounts and their API keys."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session


async def account_named(session: Session, name: str) -> int:
    """The id of the account with this name, which is created if it is new."""
    await session.execute(
        text("INSERT INTO accounts (name, created_at) VALUES (:name, now()) ON CONFLICT (name) DO NOTHING"),
        {"name": name},
    )
    found = await session.execute(text("SELECT id FROM accounts WHERE name = :name"), {"name": name})
    return int(found.scalar_one())


async def next_seq(session: Session, account_id: int) -> int:
    """Takes the next number of the account's order of writes, and holds the account's row until the transaction ends:
    every other acceptance of a run of this account waits here, so the queue limit and the order of acceptance are
    exact."""
    raised = await session.execute(
        text("UPDATE accounts SET last_seq = last_seq + 1 WHERE id = :id RETURNING last_seq"), {"id": account_id}
    )
    return int(raised.scalar_one())


async def lock(session: Session, account_id: int) -> None:
    """Holds the account's row until the transaction ends: no import of the account is accepted meanwhile, and nothing
    else is changed that is unique within the account. Imports at work go on."""
    await session.execute(text("SELECT FROM accounts WHERE id = :id FOR NO KEY UPDATE"), {"id": account_id})


async def add_key(session: Session, account_id: int, key_id: str, **values: Any) -> None:
    """`values`: secret_hash (bytes), scopes (list of str), label (str)."""
    await session.execute(
        text(
            "INSERT INTO api_keys (id, account_id, secret_hash, scopes, label, created_at) "
            "VALUES (:id, :account_id, :secret_hash, :scopes, :label, now())"
        ),
        {"id": key_id, "account_id": account_id, **values},
    )


async def key(session: ReadSession, key_id: str) -> RowMapping | None:
    """The key with this id, unless it is revoked: account_id, account (name), secret_hash, scopes."""
    found = await session.execute(
        text(
            "SELECT k.account_id, a.name AS account, k.secret_hash, k.scopes "
            "FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.id = :id AND k.revoked_at IS NULL"
        ),
        {"id": key_id},
    )
    return found.mappings().one_or_none()


async def has_keys(session: ReadSession) -> bool:
    """Whether any API key was ever made."""
    return (await session.execute(text("SELECT id FROM api_keys LIMIT 1"))).first() is not None


async def hold_key(session: Session, key_id: str) -> bool:
    """Whether the key is live. It cannot be revoked until the transaction ends."""
    found = await session.execute(
        text("SELECT id FROM api_keys WHERE id = :id AND revoked_at IS NULL FOR SHARE"), {"id": key_id}
    )
    return found.one_or_none() is not None


async def keys(session: ReadSession, account: str | None) -> Sequence[RowMapping]:
    """All keys, or those of one account, oldest first: id, account, scopes, label, created_at, revoked_at.

    `account` is a name, or the number by which logs call an account, unless another one has it as its name.
    """
    found = await session.execute(
        text(
            "SELECT k.id, a.name AS account, k.scopes, k.label, k.created_at, k.revoked_at "
            "FROM api_keys k JOIN accounts a ON a.id = k.account_id "
            "WHERE CAST(:account AS text) IS NULL OR a.name = :account OR (CAST(a.id AS text) = :account "
            "AND NOT EXISTS (SELECT FROM accounts WHERE name = :account)) ORDER BY k.created_at, k.id"
        ),
        {"account": account},
    )
    return found.mappings().all()


async def revoke_key(session: Session, key_id: str) -> bool:
    """Whether there was such a key that was not revoked yet."""
    done = await session.execute(
        text("UPDATE api_keys SET revoked_at = now() WHERE id = :id AND revoked_at IS NULL"), {"id": key_id}
    )
    return done.rowcount == 1
