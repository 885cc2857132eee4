"""Feeds as an account has declared them, each under a name that is unique in the account."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, select, text

from app.storage.database import ReadSession, Session
from app.storage.feeds.tables import feeds, seen_files

# The type has to be told where it cannot be seen.
NOW = "CAST(:now AS timestamptz)"
# What an import of a file is to do is written and read as JSON text, so that members stay in the order that was sent.
COLUMNS = """f.id, f.account_id, f.name, f.connection_id, f.request::text AS request, f.afterwards, f.on_failed,
f.every, f.enabled, f.created_by, f.created_at, f.updated_at, f.state, f.detail, f.failures, f.looked_at, f.next_at,
f.start_error, f.round"""
# What is imported may be large, and lists do without it, but for the path.
BRIEF = COLUMNS.replace("f.request::text", "json_build_object('path', f.request -> 'path')::text")
# How many files there are in which state, as JSON.
COUNTS = """(SELECT coalesce(jsonb_object_agg(state, files), '{}') FROM (SELECT state, count(*) AS files FROM seen_files
WHERE feed_id = f.id AND gone_at IS NULL GROUP BY state) AS by_state)::text AS files"""

ADD = f"""
INSERT INTO feeds AS f (id, account_id, name, connection_id, request, afterwards, on_failed, every, enabled, created_by,
    created_at, updated_at, next_at)
VALUES (:id, :account_id, :name, :connection_id, CAST(:request AS json), :afterwards, :on_failed, :every, true,
    :created_by, now(), now(), {NOW})"""
# What has changed is looked at anew; a visit that is under way does not count.
REPLACE = f"""
UPDATE feeds AS f SET name = :name, connection_id = :connection_id, request = CAST(:request AS json),
    afterwards = :afterwards, on_failed = :on_failed, every = :every,
    updated_at = now(), next_at = {NOW}, round = round + 1, lease_until = NULL,
    state = 'new', detail = NULL, failures = 0,
    start_error = NULL, start_at = NULL
WHERE account_id = :account_id AND id = :id"""
ENABLE = f"""
UPDATE feeds AS f SET enabled = :enabled, updated_at = now(), next_at = {NOW}, start_at = NULL
WHERE account_id = :account_id AND id = :id"""


async def add(session: Session, values: Mapping[str, Any]) -> None:
    """Stores a new feed, which is to be looked at `now`."""
    await session.execute(text(ADD), values)


async def get(session: ReadSession, account_id: int, feed_id: str) -> RowMapping | None:
    """The feed with `files`: how many there are, by state."""
    found = await session.execute(
        text(f"SELECT {COLUMNS}, {COUNTS} FROM feeds AS f WHERE f.account_id = :account_id AND f.id = :id"),
        {"account_id": account_id, "id": feed_id},
    )
    return found.mappings().one_or_none()


async def list_all(session: ReadSession, account_id: int) -> Sequence[RowMapping]:
    """The account's feeds, without `files`, and of what they import the path only, ordered by name."""
    found = await session.execute(
        text(f"SELECT {BRIEF} FROM feeds AS f WHERE f.account_id = :account_id ORDER BY f.name"),
        {"account_id": account_id},
    )
    return found.mappings().all()


async def find_id(session: ReadSession, account_id: int, name: str) -> str | None:
    """The id of the account's feed with that name."""
    named = select(feeds.c.id).where(feeds.c.account_id == account_id, feeds.c.name == name)
    return (await session.execute(named)).scalar_one_or_none()


async def count_others(session: ReadSession, account_id: int, feed_id: str) -> RowMapping:
    """`feeds` and `bytes` of all feeds of the account, without the one with that id."""
    counted = await session.execute(
        text(
            "SELECT count(*) AS feeds, coalesce(sum(octet_length(request::text)), 0) AS bytes FROM feeds "
            "WHERE account_id = :account_id AND id <> :id"
        ),
        {"account_id": account_id, "id": feed_id},
    )
    return counted.mappings().one()


async def replace(session: Session, values: Mapping[str, Any]) -> bool:
    """Gives a feed another declaration, and forgets the files that wait: what is there is seen again. Says whether
    there is such a feed."""
    replaced = await session.execute(text(REPLACE), values)
    if not replaced.rowcount:
        return False
    unstarted = seen_files.c.state.in_(("settling", "waiting"))
    await session.execute(delete(seen_files).where(seen_files.c.feed_id == values["id"], unstarted))
    return True


async def enable(session: Session, values: Mapping[str, Any]) -> bool:
    """Goes on with a feed, or pauses it. Says whether there is such a feed."""
    return bool((await session.execute(text(ENABLE), values)).rowcount)


async def remove(session: Session, account_id: int, feed_id: str) -> bool:
    """Deletes a feed with what it has seen, and says whether there was one."""
    owned = delete(feeds).where(feeds.c.account_id == account_id, feeds.c.id == feed_id)
    return bool((await session.execute(owned)).rowcount)
