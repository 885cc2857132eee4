"""How many records of a type the rows of a sync have named, where the run keeps all their keys."""

from typing import Final

from sqlalchemy import text

from app.storage.database import ReadSession
from app.storage.merge import MergeTarget

COUNT: Final = """
SELECT (SELECT count(*) FROM staged_records
        WHERE account_id = :account_id AND staged_by = :run_id AND type = :type)
    + (SELECT count(*) FROM staged_keys k
        WHERE account_id = :account_id AND staged_by = :run_id AND type = :type AND NOT EXISTS (
            SELECT FROM staged_records
            WHERE account_id = :account_id AND staged_by = :run_id AND type = :type AND key = k.key OFFSET 0))"""


async def count_named(session: ReadSession, target: MergeTarget) -> int:
    return int((await session.execute(text(COUNT), target.parameters())).scalar_one())
