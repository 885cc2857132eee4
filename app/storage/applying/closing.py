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
# A run that has removed what its rows name. Its overlay stays as long as an older run is open, which must not create
# these records again.
REMOVED_NAMED = "state = 'finished' AND options ->> 'deletes' = 'true'"
OLDER = f"SELECT EXISTS (SELECT {WRITERS} AND seq < :seq AND {OPEN})"
OTHERS = f"""
SELECT EXISTS (SELECT {WRITERS} AND seq < :run_seq AND {OPEN}) AS older,
    EXISTS (SELECT {WRITERS} AND seq <> :run_seq AND {OPEN}) AS any_open,
    EXISTS (SELECT FROM accounts WHERE id = :account_id AND last_seq > :run_seq) AS newer,
    EXISTS (SELECT {WRITERS} AND seq > :run_seq AND {REPLACED}) AS replaced,
    ARRAY(SELECT id {WRITERS} AND seq > :run_seq AND {REMOVED_NAMED}) AS removed_by"""

# An overlay is applied in three passes, each in the order of the keys, so that with a batch in the middle of its own
# pass it could wait in a circle. Batches of one type let each other in, and keep out who applies.
LOCK = "SELECT pg_advisory_xact_lock{shared}(hashtextextended(CAST(:records AS text), 0))"

NAMED_LATER = """
SELECT s.key FROM unnest(CAST(:keys AS text[])) AS s(key) CROSS JOIN LATERAL (
    SELECT FROM staged_records
    WHERE account_id = :account_id AND staged_by = ANY(:runs) AND type = :type AND key = s.key
    LIMIT 1 OFFSET 0) AS later"""

DROP = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE account_id = :account_id AND staged_by = :run_id LIMIT :limit))"""

# `{{run}}` has removed what its rows name, and an older run is open that must not create it again.
NEEDED = f"""EXISTS (SELECT FROM runs named CROSS JOIN runs older
        WHERE named.id = {{run}} AND named.state = 'finished' AND named.options ->> 'deletes' = 'true'
            AND older.account_id = named.account_id AND older.seq < named.seq AND older.{OPEN}
            AND (older.type = named.type OR older.kind = 'sync' AND named.type IN {CATALOGUE}))"""
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
WHERE NOT EXISTS (SELECT FROM runs WHERE id = staged.staged_by AND {OPEN})
    AND NOT {NEEDED.format(run="staged.staged_by")}"""


async def find_other_imports(session: Session, target: MergeTarget) -> RowMapping:
    """Whether an `older` import of the same type, or `any_open` one besides this, has not ended, whether a `newer` one
    was ever accepted, and whether one such has `replaced` all records of the type, or of the part that is written; and
    which such have `removed_by` name some of them."""
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


async def find_removed_later(session: Session, target: MergeTarget, keys: Collection[str], runs: object) -> set[str]:
    """Those of the keys that rows of these later runs, which have removed what they name, have named."""
    given = {"account_id": target.account_id, "type": target.type}
    found = await session.execute(text(NAMED_LATER), {**given, "keys": list(keys), "runs": runs})
    return set(found.scalars())


async def drop_some(session: Session, account_id: int, run_id: str) -> int:
    """Deletes some rows of an overlay, and returns how many there were."""
    given = {"account_id": account_id, "run_id": run_id, "limit": DROP_ROWS}
    dropped = 0
    for table in OVERLAYS:
        dropped += (await session.execute(text(DROP.format(table=table)), given)).rowcount
    return dropped


async def is_needed(session: ReadSession, run_id: str) -> bool:
    """Whether the overlay of a run still says what an older one must not create again."""
    needed = await session.execute(text(f"SELECT {NEEDED.format(run=':run_id')}"), {"run_id": run_id})
    return bool(needed.scalar_one())


async def find_orphans(session: ReadSession) -> set[tuple[int, str]]:
    """(account, run) of the overlays whose run has ended or is deleted, if nobody needs them."""
    found = set[tuple[int, str]]()
    for table in OVERLAYS:
        rows = await session.execute(text(ORPHANS.format(table=table)))
        found |= {(account_id, run_id) for account_id, run_id in rows}
    return found
