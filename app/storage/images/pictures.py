"""Pictures as they are kept: once for each content that an account has sent, and in the sizes that were asked for."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import insert

from app.storage.database import ReadSession, Session
from app.storage.tables import pictures

AS_IT_IS: Final = 0  # in the place of a width

FIND = "SELECT * FROM pictures WHERE account_id = :account_id AND sha256 = :sha256 AND width = :width"

# An update, and not a look, because what is noted as used is not swept. A picture that was refused is tried again a day
# later: the machine may have been short of something, or the decoder is a better one by then.
RECOGNISE = """
UPDATE pictures SET used_at = CASE WHEN refused IS NULL THEN now() ELSE used_at END
WHERE account_id = :account_id AND sha256 = ANY(:digests) AND width = 0
RETURNING *"""

# An image that an undo can bring back has to show its picture then.
SWEEP = """
DELETE FROM pictures p WHERE used_at < now() - make_interval(secs => :seconds) AND NOT EXISTS (
    SELECT FROM records r
    WHERE r.account_id = p.account_id AND r.type = 'item-images' AND r.data ->> 'sha256' = p.sha256)
AND NOT EXISTS (
    SELECT FROM record_changes c
    WHERE c.account_id = p.account_id AND c.type = 'item-images' AND c.before ->> 'sha256' = p.sha256)
RETURNING blob"""


async def recognise(session: Session, account_id: int, digests: Collection[str]) -> Mapping[str, RowMapping]:
    """Those of the pictures, by the SHA-256 of what was sent, that are kept or were refused already. They are noted as
    used."""
    found = await session.execute(text(RECOGNISE), {"account_id": account_id, "digests": list(digests)})
    return {row["sha256"]: row for row in found.mappings()}


async def find(session: ReadSession, account_id: int, sha256: str, *, width: int = AS_IT_IS) -> RowMapping | None:
    """The picture that was sent with this SHA-256, in this width."""
    found = await session.execute(text(FIND), {"account_id": account_id, "sha256": sha256, "width": width})
    return found.mappings().one_or_none()


async def add(session: Session, values: Mapping[str, Any]) -> bool:
    """False if there is such a picture by now."""
    statement = insert(pictures).values(**values).on_conflict_do_nothing().returning(pictures.c.sha256)
    return (await session.execute(statement)).first() is not None


async def forget(session: Session, account_id: int, blob: str) -> None:
    """Of a picture whose stored file is lost. The account's item syncs forget their ZIP files, so that the next run of
    each reads the pictures again."""
    given = {"account_id": account_id, "blob": blob}
    await session.execute(text("DELETE FROM pictures WHERE account_id = :account_id AND blob = :blob"), given)
    await session.execute(text("UPDATE item_syncs SET seen_images = NULL WHERE account_id = :account_id"), given)


async def delete_unused(session: Session, *, seconds: float) -> Sequence[str]:
    """Deletes the pictures that no image shows or could show again, and that were not used for so long. Returns their
    blobs."""
    found = await session.execute(text(SWEEP), {"seconds": seconds})
    return [blob for blob in found.scalars() if blob is not None]
