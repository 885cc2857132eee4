"""Accounts that are being deleted: shut at once, erased piece by piece, and gone at the end."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session
from app.storage.people import members
from app.storage.runs import OPEN

# Whoever writes for the account holds the key or session that was shown, and then the account: so does its deletion.
HOLD_WRITERS: Final = (
    "SELECT FROM api_keys WHERE account_id = :account_id ORDER BY id FOR NO KEY UPDATE",
    "SELECT FROM sessions WHERE account_id = :account_id ORDER BY hash FOR UPDATE",
)
MARK: Final = "UPDATE accounts SET deleting_at = now(), erased = '{}' WHERE id = :account_id"
# Nothing more is sent in the name of the account, or started.
SHUT: Final = (
    "UPDATE api_keys SET revoked_at = now() WHERE account_id = :account_id AND revoked_at IS NULL",
    "DELETE FROM sessions WHERE account_id = :account_id",
    "DELETE FROM person_links WHERE account_id = :account_id",
    "UPDATE webhooks SET enabled = false WHERE account_id = :account_id",
    "UPDATE runs SET notify = NULL WHERE account_id = :account_id AND notify IS NOT NULL AND notified_at IS NULL",
    "UPDATE schedules SET enabled = false, due_at = NULL, next_run_at = NULL WHERE account_id = :account_id",
    "UPDATE feeds SET enabled = false WHERE account_id = :account_id",
)
# Two workers never erase side by side: the second one would take rows for gone that the first is deleting.
HOLD: Final = "SELECT id FROM accounts WHERE id = :account_id AND deleting_at IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED"
OPEN_RUNS: Final = f"SELECT * FROM runs WHERE account_id = :account_id AND {OPEN} ORDER BY id"
GONE: Final = "DELETE FROM accounts WHERE id = :account_id AND deleting_at IS NOT NULL RETURNING name, erased"


async def hold_writers(session: Session, account_id: int) -> None:
    """Waits until nobody writes for the account any more. Call it before the account is locked."""
    for statement in HOLD_WRITERS:
        await session.execute(text(statement), {"account_id": account_id})


async def mark(session: Session, account_id: int) -> None:
    """Call it while the account is locked. Keys and sessions end, and people who belong to no other account are
    deleted."""
    given = {"account_id": account_id}
    await session.execute(text(MARK), given)
    for person in await members.members(session, account_id):
        await members.remove_member(session, account_id, person["id"])
    for statement in SHUT:
        await session.execute(text(statement), given)


async def open_runs(session: Session, account_id: int) -> Sequence[RowMapping]:
    """All of the account that have not ended."""
    return (await session.execute(text(OPEN_RUNS), {"account_id": account_id})).mappings().all()


async def being_deleted(session: ReadSession) -> Sequence[int]:
    """The ids of the accounts that are being deleted, in the order in which that was asked for."""
    found = await session.execute(text("SELECT id FROM accounts WHERE deleting_at IS NOT NULL ORDER BY deleting_at"))
    return list(found.scalars())


async def hold(session: Session, account_id: int) -> bool:
    """Whether the account is still being deleted and nobody else is at it until the transaction ends."""
    return (await session.execute(text(HOLD), {"account_id": account_id})).first() is not None


async def remove(session: Session, account_id: int) -> RowMapping:
    """Deletes the row of an account of which nothing is left, and returns its name and what was erased."""
    return (await session.execute(text(GONE), {"account_id": account_id})).mappings().one()
