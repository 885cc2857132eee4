"""The images of items among the records: read by item, found by code, and removed with their item."""

from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session

# The keys are the code, `_` and the sequence; "`" is what follows `_`. A caller may have written the record.
SEQUENCE = "CASE WHEN jsonb_typeof(data -> 'sequence') = 'number' THEN CAST(data ->> 'sequence' AS numeric) END"
OF_ITEM = f"""
SELECT key, data, updated_at, sequence FROM (
    SELECT key, data::text AS data, updated_at, {SEQUENCE} AS sequence FROM records
    WHERE account_id = :account_id AND type = 'item-images' AND key > :code || '_' AND key < :code || '`'
        AND data ->> 'itemCode' = :code) images
WHERE sequence BETWEEN 0 AND 9999 AND (sequence, key) > (CAST(:sequence AS numeric), CAST(:key AS text))
ORDER BY sequence, key LIMIT :limit"""

CODES = "SELECT key FROM records WHERE account_id = :account_id AND type = 'items' AND key = ANY(:codes)"

# A scan of the account's items: only what no item has as its code is looked for so. The keys have the collation C, in
# which only the letters of ASCII have a case.
SIMILAR = """
SELECT key FROM records WHERE account_id = :account_id AND type = 'items' AND lower(key) = ANY(:lowered)"""

# Of the images in the staging table.
HOLD_BACK = """
DELETE FROM staging s WHERE NOT EXISTS (
    SELECT FROM records WHERE account_id = :account_id AND type = 'item-images' AND key = s.key OFFSET 0)"""

# A record that a later run or write has made is not ours to remove.
REMOVE = """
DELETE FROM records i WHERE account_id = :account_id AND type = 'item-images' AND run_seq <= :run_seq AND NOT EXISTS (
    SELECT FROM records WHERE account_id = i.account_id AND type = 'items' AND key = i.data ->> 'itemCode')"""


async def of_item(
    session: ReadSession, account_id: int, code: str, *, after: tuple[int, str], limit: int
) -> Sequence[RowMapping]:
    """key, data (JSON text), updated_at, sequence: in the order of the sequence, then the key, after such a pair."""
    given = {"account_id": account_id, "code": code, "sequence": after[0], "key": after[1], "limit": limit}
    return (await session.execute(text(OF_ITEM), given)).mappings().all()


async def find_codes(session: ReadSession, account_id: int, codes: Collection[str]) -> frozenset[str]:
    """Those that are the codes of items."""
    found = await session.execute(text(CODES), {"account_id": account_id, "codes": list(codes)})
    return frozenset(found.scalars())


async def find_similar_codes(session: ReadSession, account_id: int, lowered: Collection[str]) -> Sequence[str]:
    """The codes of items that are one of these in lower case."""
    found = await session.execute(text(SIMILAR), {"account_id": account_id, "lowered": list(lowered)})
    return found.scalars().all()


async def hold_back_new(session: Session, account_id: int) -> int:
    """Takes the staged images that are not there from the staging table, and returns how many."""
    return (await session.execute(text(HOLD_BACK), {"account_id": account_id})).rowcount


async def remove_of_missing_items(session: Session, account_id: int, run_seq: int) -> int:
    """Removes the images whose item is gone, and returns how many."""
    done = await session.execute(text(REMOVE), {"account_id": account_id, "run_seq": run_seq})
    return done.rowcount
