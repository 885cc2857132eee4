"""Which failed rows of an import its retries and corrections have taken: rows of the table `taken_rows`."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session
from app.storage.overview.families import UNDONE

# How many of its rows each has come to or may still come to; null: all. What was not reached, not written in the end,
# or undone, is free again.
TAKEN: Final = f"""
SELECT r.id, t.rows, CASE
    WHEN r.finished_at IS NULL THEN NULL
    WHEN {UNDONE} THEN 0
    WHEN r.state = 'finished' THEN NULL
    WHEN coalesce((r.options ->> 'staged')::boolean, false) THEN 0
    ELSE r.at_row END AS reached, r.finished_at IS NOT NULL AND {UNDONE} AS undone
FROM runs r JOIN taken_rows t ON t.run_id = r.id
WHERE r.parent_id = :parent_id ORDER BY r.created_at, r.id"""

RETURNED: Final = f"""
SELECT p.id FROM runs r JOIN taken_rows t ON t.run_id = r.id JOIN runs p ON p.id = r.parent_id
WHERE r.id = :run_id AND r.finished_at IS NOT NULL AND {UNDONE}"""


async def list_taken(session: ReadSession, parent_id: str) -> Sequence[RowMapping]:
    """By each run that came of the import, in the order of their acceptance: id, rows (as app.imports.row_files.row_set
    packs them), how many of these it has `reached` or may still reach (None: all), and whether it is `undone`."""
    return (await session.execute(text(TAKEN), {"parent_id": parent_id})).mappings().all()


async def find_returned(session: ReadSession, run_id: str) -> str | None:
    """The import to which a run that is undone has given back the rows that it had taken."""
    return (await session.execute(text(RETURNED), {"run_id": run_id})).scalar_one_or_none()


async def add(session: Session, run_id: str, rows: bytes) -> None:
    statement = text("INSERT INTO taken_rows (run_id, rows) VALUES (:run_id, :rows)")
    await session.execute(statement, {"run_id": run_id, "rows": rows})
