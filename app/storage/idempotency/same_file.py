"""Finds the import that had the same file before."""

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession

# Of planned imports nothing is written yet, of these others it is not known how much, and what was undone is gone. An
# undo that has not finished may still come to nothing.
EARLIER = """
SELECT id, name, created_at FROM runs
WHERE account_id = :account_id AND kind = 'import' AND file_sha256 = :sha256 AND file_sha256 <> ''
    AND type = :type AND id <> :but AND state NOT IN ('planned', 'failed', 'cancelled')
    AND (undone_by IS NULL OR EXISTS (
        SELECT FROM runs undo WHERE undo.id = runs.undone_by AND undo.state <> 'finished'))
ORDER BY seq DESC LIMIT 1"""


async def find_earlier(
    session: ReadSession, account_id: int, type_: str, sha256: str, *, but: str = ""
) -> RowMapping | None:
    """The last import of the type that had the file with this SHA-256: its id, name and created_at. `but` is the id of
    the one that is asked for."""
    wanted = {"account_id": account_id, "type": type_, "sha256": sha256, "but": but}
    return (await session.execute(text(EARLIER), wanted)).mappings().one_or_none()
