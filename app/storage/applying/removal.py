"""What a replacement removes: the records of a type that no row of the run has named."""

from collections.abc import AsyncIterator, Collection
from typing import Final

from sqlalchemy import text

from app.storage.database import ReadSession, Session
from app.storage.merge import MergeTarget
from app.storage.overlays.view import use_indexes, use_joins

RANGE_KEYS: Final = 50_000  # records that one statement looks at
NAMED_TOGETHER: Final = 500  # keys in a row of `named_keys`

NAME_KEYS = """
INSERT INTO staged_keys (account_id, staged_by, type, key)
SELECT :account_id, :run_id, :type, named.key FROM unnest(CAST(:keys AS text[])) AS named(key)
WHERE NOT EXISTS (SELECT FROM staged_records
    WHERE account_id = :account_id AND staged_by = :run_id AND type = :type AND key = named.key
    OFFSET 0)
ORDER BY key
ON CONFLICT DO NOTHING"""

NAME_MANY = """
INSERT INTO named_keys (account_id, staged_by, type, number, first_key, last_key, keys)
VALUES (:account_id, :run_id, :type, :number, :first_key, :last_key, :keys)"""

IN_RANGE = "{alias}key > :after AND (CAST(:upto AS text) IS NULL OR {alias}key <= :upto)"
NAMED = f"""EXISTS (SELECT FROM {{table}} s WHERE s.account_id = :account_id AND s.staged_by = :run_id
        AND s.type = :type AND s.key = r.key AND {IN_RANGE.format(alias="s.")})"""
NAMED_MANY = """EXISTS (SELECT FROM named_keys s CROSS JOIN LATERAL unnest(s.keys) AS named(key)
    WHERE s.account_id = :account_id AND s.staged_by = :run_id AND s.type = :type AND named.key = r.key
        AND s.last_key > :after AND (CAST(:upto AS text) IS NULL OR s.first_key <= :upto))"""
# What a later run or a single write has written since stays. What the run itself has written it has named.
UNNAMED = f"""
SELECT key FROM records r
WHERE account_id = :account_id AND type = :type AND {{within}}
    AND run_seq <= :run_seq AND run_id IS DISTINCT FROM :run_id AND {IN_RANGE.format(alias="")}
    AND NOT {NAMED.format(table="staged_records")}
    AND NOT {NAMED.format(table="staged_keys")}
    AND NOT {NAMED_MANY}"""
WITHIN = "data @> CAST(:within AS jsonb)"  # only a part of the type is replaced
COUNT = f"SELECT count(*) FROM ({UNNAMED}) AS unnamed"
STORED = "SELECT count(*) FROM records WHERE account_id = :account_id AND type = :type AND {within}"
SOME = f"{UNNAMED} ORDER BY key LIMIT :limit"
# Joined, not `key = ANY(…)`: before 17, PostgreSQL may compare each record with the whole list (110 s for 50,000 of
# them).
REMOVE = f"""
DELETE FROM records gone USING unnest(ARRAY({UNNAMED} ORDER BY key)) AS unnamed(key)
WHERE gone.account_id = :account_id AND gone.type = :type AND gone.run_seq <= :run_seq
    AND gone.key = unnamed.key AND {IN_RANGE.format(alias="gone.")}"""
NEXT_END = f"""
SELECT key FROM records WHERE account_id = :account_id AND type = :type AND key > :after
ORDER BY key OFFSET {RANGE_KEYS - 1} LIMIT 1"""


async def name_keys(session: Session, target: MergeTarget, keys: Collection[str]) -> None:
    """Remembers that rows have named these keys, as far as the overlay does not know it, so that each can be looked
    up."""
    await session.execute(text(NAME_KEYS), target.parameters() | {"keys": list(keys)})


async def name_many_keys(session: Session, target: MergeTarget, keys: Collection[str], *, first_row: int) -> None:
    """Remembers that the rows of a batch have named these keys, which takes a tenth of the time. `first_row`: of the
    batch; it has at least as many rows as keys."""
    ordered = sorted(keys)
    parts = [ordered[start : start + NAMED_TOGETHER] for start in range(0, len(ordered), NAMED_TOGETHER)]
    rows = [
        target.parameters() | {"number": number, "first_key": part[0], "last_key": part[-1], "keys": part}
        for number, part in enumerate(parts, start=first_row)
    ]
    await session.execute(text(NAME_MANY), rows)


async def count_stored(session: ReadSession, target: MergeTarget) -> int:
    """How many records there are of what is replaced."""
    part = {"within": target.within}
    counted = await session.execute(text(limit_to_part(STORED, target)), target.parameters() | part)
    return int(counted.scalar_one())


async def count_unnamed(session: ReadSession, target: MergeTarget) -> int:
    """How many records of the type no row of the run has named."""
    counted = 0
    await use_joins(session)
    async for given in list_ranges(session, target):
        counted += int((await session.execute(text(limit_to_part(COUNT, target)), given)).scalar_one())
    await use_indexes(session)
    return counted


async def list_unnamed(session: ReadSession, target: MergeTarget, *, after: str, limit: int) -> list[str]:
    """Their keys, in order, after this one."""
    keys: list[str] = []
    await use_joins(session)
    async for given in list_ranges(session, target, after=after):
        found = await session.execute(text(limit_to_part(SOME, target)), given | {"limit": limit - len(keys)})
        keys += found.scalars()
        if len(keys) == limit:
            break
    await use_indexes(session)
    return keys


async def remove_unnamed(session: Session, target: MergeTarget) -> int:
    """Removes them, and returns how many there were."""
    removed = 0
    await use_joins(session)
    async for given in list_ranges(session, target):
        removed += (await session.execute(text(limit_to_part(REMOVE, target)), given)).rowcount
    await use_indexes(session)
    return removed


def limit_to_part(statement: str, target: MergeTarget) -> str:
    return statement.format(within="true" if target.within is None else WITHIN)


async def list_ranges(session: ReadSession, target: MergeTarget, after: str = "") -> AsyncIterator[dict[str, object]]:
    """The keys of the type in ranges, as parameters; only those after one."""
    upto: str | None = ""
    while upto is not None:
        given = target.parameters() | {"after": after, "within": target.within}
        upto = (await session.execute(text(NEXT_END), given)).scalar_one_or_none()
        yield given | {"upto": upto}
        after = upto or after
