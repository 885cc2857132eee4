"""Reads an account's runs together: the open ones, their places in the queue, and how many there were on each day."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import RowMapping, select, text

from app.storage.database import ReadSession
from app.storage.runs import BRIEF, OPEN
from app.storage.tables import runs

PLACES = f"""
SELECT account_id, id, place FROM (
    SELECT account_id, id, row_number() OVER (PARTITION BY account_id, kind ORDER BY created_at, id) AS place
    FROM runs WHERE account_id = ANY(:accounts) AND {OPEN} AND state = 'queued') AS queued
WHERE id = ANY(:ids)"""

# The medians of the last 20 that finished.
PACE = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM started_at - created_at)) AS waiting,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)) AS lasting
FROM (SELECT created_at, started_at, finished_at FROM runs
    WHERE account_id = :account_id AND pruned_at IS NULL AND kind = :kind AND state = 'finished'
        AND started_at IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT 20) AS last"""

# Of `runs_shown` alone, without a look at the table. Grouped by their day, 46,000 runs would be sorted first.
BY_DAY = """
SELECT day, runs, failed FROM unnest(CAST(:days AS date[])) AS day, LATERAL (
    SELECT count(*) AS runs, count(*) FILTER (WHERE state = 'failed') AS failed FROM runs
    WHERE account_id = :account_id AND pruned_at IS NULL AND kind = ANY(:kinds)
        AND created_at >= CAST(day AS timestamp) AT TIME ZONE 'UTC'
        AND created_at < CAST(day + 1 AS timestamp) AT TIME ZONE 'UTC'
) AS counted ORDER BY day"""

# Whatever can start a run. Ids of different tables cannot be equal.
MAKERS = """
SELECT id, 'key' AS sort, label AS name FROM api_keys WHERE account_id = :account_id AND id = ANY(:ids)
UNION ALL SELECT id, 'schedule', name FROM schedules WHERE account_id = :account_id AND id = ANY(:ids)
UNION ALL SELECT id, 'feed', name FROM feeds WHERE account_id = :account_id AND id = ANY(:ids)
UNION ALL SELECT id, 'person', name FROM people JOIN memberships ON person_id = id
    WHERE account_id = :account_id AND id = ANY(:ids)"""


async def list_open(session: ReadSession, account_id: int, kinds: Sequence[str]) -> Sequence[RowMapping]:
    """The account's open runs of these kinds in the order of their acceptance, without what lists leave out."""
    mine = (runs.c.account_id == account_id, runs.c.kind.in_(kinds), text(OPEN))
    found = await session.execute(select(*BRIEF).where(*mine).order_by(runs.c.created_at, runs.c.id))
    return found.mappings().all()


async def list_by_id(
    session: ReadSession, account_id: int, kinds: Sequence[str], ids: Sequence[str]
) -> Sequence[RowMapping]:
    """The account's runs of these kinds with these ids, without what lists leave out."""
    mine = (runs.c.id.in_(ids), runs.c.account_id == account_id, runs.c.kind.in_(kinds), runs.c.pruned_at.is_(None))
    return (await session.execute(select(*BRIEF).where(*mine))).mappings().all()


async def find_places(session: ReadSession, wanted: Collection[tuple[int, str]]) -> Mapping[tuple[int, str], int]:
    """The place of each of these runs, by its account and its id, among the queued runs of its account and kind; the
    first is 1. Those that are not queued are left out."""
    given = {"accounts": [account_id for account_id, _ in wanted], "ids": [run_id for _, run_id in wanted]}
    return {(row.account_id, row.id): row.place for row in await session.execute(text(PLACES), given)}


async def measure_pace(session: ReadSession, account_id: int, kind: str) -> RowMapping:
    """How long the account's last runs of this kind waited before they began (`waiting`), and have lasted since
    (`lasting`), in seconds; null if none has finished."""
    found = await session.execute(text(PACE), {"account_id": account_id, "kind": kind})
    return found.mappings().one()


async def measure_paces(
    session: ReadSession, queues: Collection[tuple[int, str]]
) -> Mapping[tuple[int, str], RowMapping]:
    """The same for each of these accounts and kinds."""
    return {each: await measure_pace(session, *each) for each in queues}


async def count_by_day(
    session: ReadSession, account_id: int, kinds: Sequence[str], days: Sequence[date]
) -> Sequence[RowMapping]:
    """How many runs were accepted on each of these days in UTC, and are kept, and how many of them could not be
    finished."""
    values = {"account_id": account_id, "kinds": list(kinds), "days": list(days)}
    return (await session.execute(text(BY_DAY), values)).mappings().all()


async def find_makers(session: ReadSession, account_id: int, ids: Iterable[str]) -> Sequence[RowMapping]:
    """What the account's keys, schedules, feeds and people with these ids are (`sort`) and are called."""
    found = await session.execute(text(MAKERS), {"account_id": account_id, "ids": sorted(set(ids))})
    return found.mappings().all()
