"""How much an account has stored: its records, and the bytes of its files."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from app.storage.counts.records import EXACT_UNTIL, RecordCount, read_estimate
from app.storage.database import ReadSession

RECORDS: Final = """
SELECT count(*) FROM (SELECT FROM records WHERE account_id = :account_id ORDER BY type, key LIMIT :most) AS first"""
ESTIMATE: Final = "EXPLAIN (FORMAT JSON) SELECT FROM records WHERE account_id = :account_id"
# As they were sent: of files of runs, of drafts and of item syncs, and pictures as they are kept.
BYTES: Final = """
SELECT CAST((SELECT coalesce(sum(file_bytes), 0) FROM runs WHERE account_id = :account_id AND pruned_at IS NULL
        AND blob IS NOT NULL)
    + (SELECT coalesce(sum(f.size), 0) FROM sync_files f JOIN runs r ON r.id = f.run_id
        WHERE r.account_id = :account_id AND r.pruned_at IS NULL)
    + (SELECT coalesce(sum(file_bytes), 0) FROM drafts WHERE account_id = :account_id AND blob IS NOT NULL)
    + (SELECT coalesce(sum(bytes), 0) FROM pictures WHERE account_id = :account_id) AS bigint)"""


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """The records of all types, and the bytes of all stored files."""

    records: RecordCount
    stored_bytes: int


async def count_everything(session: ReadSession, account_id: int) -> AccountFigures:
    return AccountFigures(await count_all(session, account_id), await sum_bytes(session, account_id))


async def count_all(session: ReadSession, account_id: int) -> RecordCount:
    """As `count_records`, of all types together."""
    count = await count_upto(session, account_id, EXACT_UNTIL + 1)
    if count <= EXACT_UNTIL:
        return RecordCount(count)
    return read_estimate((await session.execute(text(ESTIMATE), {"account_id": account_id})).scalar_one())


async def count_upto(session: ReadSession, account_id: int, most: int) -> int:
    """The records of the account, counted up to so many: a million takes a quarter of a second."""
    found = await session.execute(text(RECORDS), {"account_id": account_id, "most": most})
    return int(found.scalar_one())


async def sum_bytes(session: ReadSession, account_id: int) -> int:
    return int((await session.execute(text(BYTES), {"account_id": account_id})).scalar_one())
