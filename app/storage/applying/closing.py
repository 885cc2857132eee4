"""Who else writes the records of a type, who may while an overlay is applied to them, and the end of overlays."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session
from app.storage.merge import MergeTarget
from app.storage.runs import OPEN

OVERLAYS: Final = ("staged_records", "staged_keys", "named_keys")
DROP_ROWS: Final = 100_000  # of a transaction

# An item sync is a run of the type `items`, and writes all of these.
CATALOGUE_TYPES: Final = ("items", "price-lists", "item-prices", "item-classes", "item-class-values", "item-images")
CATALOGUE = "('" + "', '".join(CATALOGUE_TYPES) + "')"
WRITERS = f"""FROM runs WHERE account_id = :account_id
    AND (type = :type OR kind = 'sync' AND CAST(:type AS text) IN {CATALOGUE})"""
# A run that has replaced the type, or the part of it that the rows are about, and for that it has named or removed some
# records. Of a sync its pictures and files may be left to do: they can fail, and the records are gone all the same. An
# undo removes what its parent has created, and nothing that older imports have yet to create.
REPLACED = """removed IS NOT NULL AND CASE kind
    WHEN 'undo' THEN false
    WHEN 'sync' THEN (state = 'finished' OR step IN ('images', 'afterwards')) AND EXISTS (
        SELECT FROM jsonb_each_text(report -> 'entities' -> CAST(:type AS text)) AS found(outcome, records)
        WHERE outcome IN ('added', 'changed', 'unchanged', 'removed') AND records <> '0')
    ELSE state = 'finished' AND created + updated + unchanged + skipped > 0 END
    AND NOT EXISTS (
        SELECT FROM jsonb_each(CAST(:within AS jsonb)) AS part(field, value)
        WHERE CAST(options -> 'constants' ->> field AS jsonb) <> value)"""
OLDER = f"SELECT EXISTS (SELECT {WRITERS} AND seq < :seq AND {OPEN})"
OTHERS = f"""
SELECT EXISTS (SELECT {WRITERS} AND seq < :run_seq AND {OPEN}) AS older,
    EXISTS (SELECT {WRITERS} AND seq <> :run_seq AND {OPEN}) AS any_open,
    EXISTS (SELECT FROM accounts WHERE id = :account_id AND last_seq > :run_seq) AS newer,
    EXISTS (SELECT {WRITERS} AND seq > :run_seq AND {REPLACED}) AS replaced"""

# An overlay is applied in three passes, each in the order of the keys, so that with a batch in the middle of its own
# pass it could wait in a circle. Batches of one type let each other in, and keep out who applies.
LOCK = "SELECT pg_advisory_xact_lock{shared}(hashtextextended(CAST(:records AS text), 0))"

DROP = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE account_id = :account_id AND staged_by = :run_id LIMIT :limit))"""

ORPHANS = f"""
WITH RECURSIVE staged AS (
    (SELECT account_id, staged_by FROM {{table}} ORDER BY account_id, staged_by LIMIT 1)
    UNION ALL
    SELECT next.account_id, next.staged_by FROM staged CROSS JOIN LATERAL (
        SELECT account_id, staged_by FROM {{table}}
        WHERE (account_id, staged_by) > (staged.account_id, staged.staged_by)
        ORDER BY account_id, staged_by LIMIT 1) next
)
SELECT account_id, staged_by FROM staged
WHERE NOT EXISTS (SELECT FROM runs WHERE id = staged.staged_by AND {OPEN})"""


async def find_other_imports(session: Session, target: MergeTarget) -> RowMapping:
    """Whether an `older` import of the same type, or `any_open` one besides this, has not ended, whether a `newer` one
    was ever accepted, and whether one such has `replaced` all records of the type, or of the part that is written."""
    given = target.parameters() | {"within": target.within}
    return (await session.execute(text(OTHERS), given)).mappings().one()


async def is_older_open(session: ReadSession, account_id: int, type: str, seq: int) -> bool:
    """Whether an import of the type that was accepted before another one, with this `seq`, has not ended."""
    given = {"account_id": account_id, "type": type, "seq": seq}
    return bool((await session.execute(text(OLDER), given)).scalar_one())


async def enter_type(session: Session, account_id: int, type: str) -> None:
    """Waits until no overlay is being applied to the type, and keeps it so until the transaction ends."""
    await session.execute(text(LOCK.format(shared="_shared")), {"records": describe_type(account_id, type)})


async def close_types(session: Session, account_id: int, types: Collection[str]) -> None:
    """Keeps all other batches out of the types until the transaction ends."""
    for each in sorted(types):
        await session.execute(text(LOCK.format(shared="")), {"records": describe_type(account_id, each)})


def describe_type(account_id: int, type: str) -> str:
    """What is locked, of all that anybody may lock in the database."""
    return f"sluice: records {account_id} {type}"


async def drop_some(session: Session, account_id: int, run_id: str) -> int:
    """Deletes some rows of an overlay, and returns how many there were."""
    given = {"account_id": account_id, "run_id": run_id, "limit": DROP_ROWS}
    dropped = 0
    for table in OVERLAYS:
        dropped += (await session.execute(text(DROP.format(table=table)), given)).rowcount
    return dropped


async def find_orphans(session: ReadSession) -> set[tuple[int, str]]:
    """(account, run) of the overlays whose run has ended or is deleted."""
    found = set[tuple[int, str]]()
    for table in OVERLAYS:
        rows = await session.execute(text(ORPHANS.format(table=table)))
        found |= {(account_id, run_id) for account_id, run_id in rows}
    return found
