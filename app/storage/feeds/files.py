"""The versions of files that feeds have seen, and what has become of each.

A file is `settling` until two looks have seen the same version, then `waiting` for a place in the queue, `importing`,
and at the end `imported`, `failed` (as a whole, or with rows that failed) or `unknown` (its import was deleted before
its end was noted). `disposal` is what has been done about the file then.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text

from app.storage.access.accounts import SUSPENDED
from app.storage.database import ReadSession, Session
from app.storage.feeds.declared import NOW

LISTED = """jsonb_to_recordset(CAST(:files AS jsonb))
    AS l (key text, path text, size bigint, modified timestamptz, tag text)"""
# Each statement of a look. A file that waits and is not there any more, or not in this version, is forgotten; what
# became of others is remembered, in case the same version comes back.
LOOK = (
    f"""DELETE FROM seen_files s WHERE s.feed_id = :id AND s.state IN ('settling', 'waiting')
    AND s.key NOT IN (SELECT l.key FROM {LISTED})""",
    f"""UPDATE seen_files s SET gone_at = CASE WHEN there.key IS NULL THEN {NOW} END
    FROM seen_files o LEFT JOIN (SELECT l.key FROM {LISTED}) AS there ON there.key = o.key
    WHERE o.feed_id = :id AND s.feed_id = o.feed_id AND s.key = o.key
    AND (s.gone_at IS NULL) <> (there.key IS NOT NULL)""",
    f"""UPDATE seen_files s SET state = 'waiting' FROM {LISTED}
    WHERE s.feed_id = :id AND s.key = l.key AND s.state = 'settling'
    AND s.seen_at <= {NOW} - make_interval(secs => :settle)""",
    f"""INSERT INTO seen_files (feed_id, key, connection_id, path, size, modified, tag, state, seen_at)
    SELECT :id, l.key, :connection_id, l.path, l.size, l.modified, l.tag, 'settling', {NOW} FROM {LISTED}
    ON CONFLICT (feed_id, key) DO NOTHING""",
)

COLUMNS = """s.feed_id, s.key, s.connection_id, s.path, s.size, s.modified, s.tag, s.state, s.seen_at, s.gone_at,
s.run_id, s.disposal, s.moved_to, s.tries, s.error"""
OLDEST_WAITING = f"""
SELECT {COLUMNS} FROM seen_files s WHERE s.feed_id = :id AND s.state = 'waiting'
ORDER BY s.modified NULLS FIRST, s.path LIMIT 1"""

# Feeds with files that may be imported: how many of theirs and of their account's are being imported now.
READY = f"""
SELECT f.id, f.account_id, f.started_at,
    (SELECT count(*) FROM seen_files s WHERE s.feed_id = f.id AND s.state = 'importing') AS importing,
    (SELECT count(*) FROM seen_files s JOIN feeds o ON o.id = s.feed_id
        WHERE o.account_id = f.account_id AND s.state = 'importing') AS in_account
FROM feeds f WHERE f.enabled AND f.state = 'ok' AND (f.start_at IS NULL OR f.start_at <= {NOW})
    AND f.account_id <> ALL({SUSPENDED})
    AND EXISTS (SELECT FROM seen_files s WHERE s.feed_id = f.id AND s.state = 'waiting')
ORDER BY importing, f.started_at NULLS FIRST, f.id"""

START = """
UPDATE seen_files s SET state = 'importing', run_id = :run_id FROM feeds f
WHERE f.id = s.feed_id AND s.feed_id = :feed_id AND s.key = :key AND s.state = 'waiting'
    AND f.enabled AND f.updated_at = :updated_at"""
COUNT_IMPORTING = """
SELECT count(*) FROM seen_files s JOIN feeds f ON f.id = s.feed_id
WHERE f.account_id = :account_id AND s.state = 'importing'"""

# The feed is locked before its files, as a look does it.
ENDED = """
SELECT f.id FROM feeds f WHERE EXISTS (
    SELECT FROM seen_files s LEFT JOIN runs r ON r.id = s.run_id
    WHERE s.feed_id = f.id AND s.state = 'importing' AND (r.id IS NULL OR r.finished_at IS NOT NULL))
ORDER BY f.id LIMIT :most FOR NO KEY UPDATE OF f SKIP LOCKED"""
NOTE_ENDS = """
WITH ended AS (
    SELECT s.key, CASE WHEN r.id IS NULL THEN 'unknown' WHEN r.state = 'finished' AND r.failed = 0 THEN 'imported'
        ELSE 'failed' END AS outcome
    FROM seen_files s LEFT JOIN runs r ON r.id = s.run_id
    WHERE s.feed_id = :id AND s.state = 'importing' AND (r.id IS NULL OR r.finished_at IS NOT NULL)
)
UPDATE seen_files s SET state = ended.outcome, disposal = CASE WHEN 'keep' = CASE ended.outcome
    WHEN 'imported' THEN f.afterwards WHEN 'failed' THEN f.on_failed ELSE 'keep' END THEN 'kept' END
FROM ended, feeds f WHERE s.feed_id = :id AND f.id = :id AND s.key = ended.key"""
WAKE = f"""
UPDATE feeds f SET tidy_at = {NOW} WHERE f.id = :id AND EXISTS (
    SELECT FROM seen_files s WHERE s.feed_id = f.id AND s.state IN ('imported', 'failed') AND s.disposal IS NULL)"""

UNDISPOSED = f"""
SELECT {COLUMNS} FROM seen_files s WHERE s.feed_id = :id AND s.state IN ('imported', 'failed')
    AND s.disposal IS NULL AND (s.try_at IS NULL OR s.try_at <= {NOW}) ORDER BY s.seen_at, s.path LIMIT :most"""


async def record_look(
    session: Session, feed_id: str, connection_id: str, now: datetime, *, files: str, settle: float
) -> None:
    """Notes the files of a folder, which are JSON: key, path, size, modified, tag. A version that was seen at least
    `settle` seconds ago is complete."""
    values = {"id": feed_id, "connection_id": connection_id, "now": now, "files": files, "settle": settle}
    for statement in LOOK:
        await session.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})


async def list_ready(session: ReadSession, now: datetime) -> Sequence[RowMapping]:
    """Feeds with files that wait, those that have the fewest imports first: id, account_id, started_at, importing,
    in_account."""
    return (await session.execute(text(READY), {"now": now})).mappings().all()


async def oldest_waiting(session: ReadSession, feed_id: str) -> RowMapping | None:
    return (await session.execute(text(OLDEST_WAITING), {"id": feed_id})).mappings().one_or_none()


async def start(session: Session, feed_id: str, key: str, *, run_id: str, updated_at: datetime) -> bool:
    """Notes that a file is imported by a run. False if somebody else has started it, or the feed has changed."""
    values = {"feed_id": feed_id, "key": key, "run_id": run_id, "updated_at": updated_at}
    return (await session.execute(text(START), values)).rowcount == 1


async def count_importing(session: ReadSession, account_id: int) -> int:
    """How many files of the account's feeds are being imported."""
    return int((await session.execute(text(COUNT_IMPORTING), {"account_id": account_id})).scalar_one())


async def note_start(session: Session, feed_id: str, now: datetime) -> None:
    """Notes that an import was started."""
    await session.execute(
        text(f"UPDATE feeds SET started_at = {NOW}, start_error = NULL, start_at = NULL WHERE id = :id"),
        {"id": feed_id, "now": now},
    )


async def note_refusal(session: Session, feed_id: str, now: datetime, *, error: str, wait: float) -> None:
    """Notes why no import could be started, and that the next try is in `wait` seconds."""
    await session.execute(
        text(f"UPDATE feeds SET start_error = :error, start_at = {NOW} + make_interval(secs => :wait) WHERE id = :id"),
        {"id": feed_id, "now": now, "error": error, "wait": wait},
    )


async def note_ends(session: Session, now: datetime, *, most: int) -> int:
    """Notes the outcome of imports that have ended, of at most `most` feeds. Returns how many files it were."""
    feeds = (await session.execute(text(ENDED), {"most": most})).scalars().all()
    noted = 0
    for feed_id in feeds:
        noted += (await session.execute(text(NOTE_ENDS), {"id": feed_id})).rowcount
        await session.execute(text(WAKE), {"id": feed_id, "now": now})
    return noted


async def list_undisposed(session: ReadSession, feed_id: str, now: datetime, *, most: int) -> Sequence[RowMapping]:
    """Files whose import has ended and that have yet to be moved or deleted."""
    return (await session.execute(text(UNDISPOSED), {"id": feed_id, "now": now, "most": most})).mappings().all()


async def note_disposal(session: Session, feed_id: str, key: str, *, disposal: str, moved_to: str | None) -> None:
    await session.execute(
        text(
            "UPDATE seen_files SET disposal = :disposal, moved_to = :moved_to, error = NULL, try_at = NULL "
            "WHERE feed_id = :feed_id AND key = :key AND disposal IS NULL"
        ),
        {"feed_id": feed_id, "key": key, "disposal": disposal, "moved_to": moved_to},
    )


async def note_failed_disposal(
    session: Session, feed_id: str, key: str, now: datetime, *, error: str, wait: float
) -> None:
    """Notes why a file could not be moved or deleted, and that the next try is in `wait` seconds."""
    await session.execute(
        text(
            "UPDATE seen_files SET tries = least(tries + 1, 1000), error = :error, "
            f"try_at = {NOW} + make_interval(secs => :wait) "
            "WHERE feed_id = :feed_id AND key = :key AND disposal IS NULL"
        ),
        {"feed_id": feed_id, "key": key, "now": now, "error": error, "wait": wait},
    )


async def list_page(
    session: ReadSession, feed_id: str, *, state: str | None, after: tuple[datetime, str] | None, limit: int
) -> Sequence[RowMapping]:
    """Files that a feed has seen, last seen first. `after` is the moment and the key of the last one of a page."""
    of_state = "" if state is None else "AND s.state = :state "
    older = "" if after is None else "AND (s.seen_at, s.key) < (:seen_at, :key) "
    values: dict[str, object] = {"id": feed_id, "state": state, "limit": limit}
    if after is not None:
        values |= {"seen_at": after[0], "key": after[1]}
    found = await session.execute(
        text(
            f"SELECT {COLUMNS} FROM seen_files s WHERE s.feed_id = :id {of_state}{older}"
            "ORDER BY s.seen_at DESC, s.key DESC LIMIT :limit"
        ),
        {name: value for name, value in values.items() if name != "state" or state is not None},
    )
    return found.mappings().all()


async def forget_old(session: Session, days: int, *, limit: int = 10_000) -> int:
    """Deletes what is known of files that left their folder more than `days` ago, and returns how many it were."""
    deleted = await session.execute(
        text(
            "DELETE FROM seen_files s USING (SELECT feed_id, key FROM seen_files WHERE gone_at < now() - "
            "make_interval(days => :days) AND state <> 'importing' LIMIT :limit) AS old "
            "WHERE s.feed_id = old.feed_id AND s.key = old.key"
        ),
        {"days": days, "limit": limit},
    )
    return deleted.rowcount
