"""Records as they are read: one by its key, a page of a type, and those that a batch has to look at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session
from app.storage.overlays.view import copy_in, seen, use_indexes

PAGE_BYTES: Final = 4_194_304  # of the data of a page; the record that goes beyond is its last
INDEXED_CHARACTERS: Final = 200  # of the name of a record, as in `app.storage.merge.NAME`
PIECE_BYTES: Final = 524_288  # of the data of a piece, where a page has to be whole and so comes in pieces

# data::text, so that numbers keep the digits that were sent.
VIEW = "key, data::text AS data, created_at, updated_at, run_id"


# A later run that had the key and changed nothing has left its own row, but not its id.
ROW = """(SELECT records.run_row FROM runs WHERE runs.id = records.run_id AND runs.seq = records.run_seq
AND runs.kind = 'import') AS run_row"""


async def get(session: ReadSession, account_id: int, type: str, key: str) -> RowMapping | None:
    """key, data (JSON text), created_at, updated_at, run_id; run_row: the row of that run, if it was an import and no
    later run had the key."""
    found = await session.execute(
        text(f"SELECT {VIEW}, {ROW} FROM records WHERE account_id = :account_id AND type = :type AND key = :key"),
        {"account_id": account_id, "type": type, "key": key},
    )
    return found.mappings().one_or_none()


# Record by record, because only so does the server stop where the bytes are used up: 1,000 records of 1 MiB would be a
# gigabyte of text, to be thrown away.
PAGE = f"""
WITH RECURSIVE page AS (
    (SELECT {VIEW}, octet_length(data::text) AS bytes, 1 AS number
        FROM records WHERE account_id = :account_id AND type = :type AND key > coalesce(CAST(:after AS text), '')
        ORDER BY key LIMIT 1 OFFSET :offset)
    UNION ALL
    SELECT next.key, next.data, next.created_at, next.updated_at, next.run_id,
        page.bytes + octet_length(next.data), page.number + 1
    FROM page CROSS JOIN LATERAL (
        SELECT {VIEW} FROM records WHERE account_id = :account_id AND type = :type AND key > page.key
        ORDER BY key LIMIT 1) next
    WHERE page.number < :limit AND page.bytes < :bytes
)
SELECT key, data, created_at, updated_at, run_id, EXISTS (
    SELECT FROM records WHERE account_id = :account_id AND type = :type AND key > (SELECT max(key) FROM page)) AS more
FROM page ORDER BY number"""


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Some records, and whether there are more of the type after them."""

    rows: Sequence[RowMapping]
    more: bool


async def page(
    session: ReadSession,
    account_id: int,
    type: str,
    *,
    limit: int,
    after: str | None = None,
    offset: int = 0,
    max_bytes: int = PAGE_BYTES,
) -> RecordPage:
    """Records of a type in the order of their keys, after the key `after`, without the first `offset`: at most `limit`,
    and no more once their data has `max_bytes`. In a snapshot, because what it tells the planner lasts for a
    transaction."""
    # A connection keeps its plans. One that was made while there were few records goes through all of them for each
    # record of the page (100 s for 20,000), until PostgreSQL has analyzed the table.
    await use_indexes(session)
    given = {"account_id": account_id, "type": type, "after": after, "limit": limit, "offset": offset}
    found = await session.execute(text(PAGE), given | {"bytes": max_bytes})
    rows = found.mappings().all()
    return RecordPage(rows, bool(rows) and rows[0]["more"])


async def now(session: ReadSession) -> datetime:
    """PostgreSQL's time, by which records are created and changed."""
    moment: datetime = (await session.execute(text("SELECT now()"))).scalar_one()
    return moment


async def read_clock(session: ReadSession) -> datetime:
    """PostgreSQL's time at this moment, however long ago the transaction began."""
    moment: datetime = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return moment


async def has_any(session: ReadSession, account_id: int, type: str) -> bool:
    """Whether the account has any record of that type."""
    found = await session.execute(
        text("SELECT EXISTS (SELECT FROM records WHERE account_id = :account_id AND type = :type)"),
        {"account_id": account_id, "type": type},
    )
    return bool(found.scalar_one())


async def find_existing_keys(
    session: Session, account_id: int, type: str, keys: Sequence[str], *, overlay: str | None = None
) -> set[str]:
    """Those of the keys that have a record. The records cannot be deleted until the transaction ends, but under an
    overlay. No other import has to wait for that: FOR KEY SHARE conflicts only with a change of the key."""
    kept = " FOR KEY SHARE" if overlay is None else ""
    statement = f"SELECT key FROM {seen(overlay)} WHERE account_id = :account_id AND type = :type AND key = ANY(:keys)"
    given = {"account_id": account_id, "type": type, "keys": list(keys)} | lay(overlay)
    return set((await session.execute(text(statement + kept), given)).scalars())


# OFFSET 0 makes the planner look up each key in the index. Most of what is named exists, so the others are returned.
MISSING = """
SELECT named.type, named.key FROM unnest(CAST(:types AS text[]), CAST(:keys AS text[])) AS named(type, key)
LEFT JOIN LATERAL (
    SELECT true AS exists FROM {seen} WHERE account_id = :account_id AND type = named.type AND key = named.key OFFSET 0
) found ON true
WHERE found.exists IS NULL"""


async def find_missing(
    session: ReadSession, account_id: int, named: Collection[tuple[str, str]], *, overlay: str | None = None
) -> set[tuple[str, str]]:
    """Those of the records, each named by its type and key, that do not exist. The others may be deleted at any time.
    `named` must not be empty."""
    types, keys = zip(*named, strict=True)
    given = {"account_id": account_id, "types": list(types), "keys": list(keys)}
    found = await session.execute(text(MISSING.format(seen=seen(overlay))), given | lay(overlay))
    return {(type_, key) for type_, key in found}


LOCK = """
SELECT key, data::text AS data, run_seq FROM {table}
WHERE account_id = :account_id AND type = :type AND key = ANY(:keys){mine} ORDER BY key FOR NO KEY UPDATE"""


async def lock(
    session: Session, account_id: int, type: str, keys: Sequence[str], *, overlay: str | None = None
) -> Sequence[RowMapping]:
    """Those of the keys that have a record: key, data (JSON text), run_seq. They stay locked until the transaction
    ends. They are locked in the order of the keys, as everywhere, so that two imports cannot wait for each other. Under
    an overlay they are copied into it first."""
    given = {"account_id": account_id, "type": type, "keys": list(keys)}
    if overlay is None:
        return (await session.execute(text(LOCK.format(table="records", mine="")), given)).mappings().all()
    await copy_in(session, account_id, type, keys, overlay=overlay)
    statement = LOCK.format(table="staged_records", mine=" AND staged_by = :overlay")
    return (await session.execute(text(statement), given | {"overlay": overlay})).mappings().all()


WAIT_SECONDS: Final = 3.0  # of a request, for a record that somebody else is writing

# Applying a large overlay takes up to a minute, and a request that waits for one of its records holds a connection.
WAIT_BRIEFLY = f"SELECT set_config('lock_timeout', '{WAIT_SECONDS:.0f}s', true)"
AWAIT = """
SELECT FROM records WHERE account_id = :account_id AND type = :type AND key = :key FOR NO KEY UPDATE"""


async def wait_briefly(session: Session, account_id: int, type: str, key: str) -> None:
    """Locks a record, if there is one. From now on the transaction waits only so long for whatever it locks, and then
    it fails with DatabaseUnavailable."""
    await session.execute(text(WAIT_BRIEFLY))
    await session.execute(text(AWAIT), {"account_id": account_id, "type": type, "key": key})


async def find_change(session: ReadSession, account_id: int, type: str, key: str) -> datetime | None:
    """When the record was changed last, which is later with each change; None: there is no such record."""
    changed: datetime | None = (
        await session.execute(
            text("SELECT updated_at FROM records WHERE account_id = :account_id AND type = :type AND key = :key"),
            {"account_id": account_id, "type": type, "key": key},
        )
    ).scalar_one_or_none()
    return changed


async def delete(session: Session, account_id: int, type: str, key: str) -> bool:
    """Whether there was such a record. An import that is at work may create it again."""
    gone = await session.execute(
        text("DELETE FROM records WHERE account_id = :account_id AND type = :type AND key = :key RETURNING key"),
        {"account_id": account_id, "type": type, "key": key},
    )
    return gone.scalar_one_or_none() is not None


# Of names that several records have, a few records are enough to say so.
BY_NAMES = """
SELECT wanted.name, found.key FROM unnest(CAST(:names AS text[])) AS wanted(name) CROSS JOIN LATERAL (
    SELECT key FROM {seen} WHERE account_id = :account_id AND type = :type AND name = wanted.name
    LIMIT 3 OFFSET 0) AS found"""


async def find_by_names(
    session: ReadSession, account_id: int, type: str, names: Collection[str], *, overlay: str | None = None
) -> dict[str, list[str]]:
    """The keys of the records with each of these names, three at most; nothing for a name that no record has."""
    asked = {index_name(name): name for name in names}
    found: dict[str, list[str]] = {}
    given = {"account_id": account_id, "type": type, "names": list(asked)}
    statement = BY_NAMES.format(seen=seen(overlay))
    for name, key in (await session.execute(text(statement), given | lay(overlay))).all():
        found.setdefault(asked[name], []).append(key)
    return found


def index_name(name: str) -> str:
    """A name as it is indexed. It may be long, and a row of an index may not; and it must be found at once, although
    thousands of others begin like it."""
    if len(name) <= INDEXED_CHARACTERS:
        return name
    digest = md5(name.encode(), usedforsecurity=False).hexdigest()
    return name[: INDEXED_CHARACTERS - len(digest)] + digest


async def find_having(
    session: ReadSession, account_id: int, type: str, keys: Sequence[str], member: str, *, overlay: str | None = None
) -> set[str]:
    """Those of the records that have the member, and not null."""
    statement = (
        f"SELECT key FROM {seen(overlay)} WHERE account_id = :account_id AND type = :type AND key = ANY(:keys) "
        "AND data ->> CAST(:member AS text) IS NOT NULL"
    )
    given = {"account_id": account_id, "type": type, "keys": list(keys), "member": member}
    return set((await session.execute(text(statement), given | lay(overlay))).scalars())


def lay(overlay: str | None) -> dict[str, str]:
    """The parameter of `seen`."""
    return {} if overlay is None else {"overlay": overlay}
