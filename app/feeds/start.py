"""Starts imports of files that wait: oldest first, the feeds of an account in turn, and never in all places of its
queue."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from app.connections.pull import Pull
from app.errors import Refused, Retryable
from app.feeds.feed import Feed, watched_file_from
from app.feeds.stored import load_feed
from app.imports.intake import Submission, check_pull, store_pull
from app.imports.submissions.from_connection import load_submission
from app.observe.events import HousekeepingFailed
from app.observe.feed_events import FileNotStarted, FileStarted
from app.observe.logs import error_kind
from app.quotas.quota import load_runtime
from app.runs.acceptance import announce_run
from app.runs.lifecycle import is_out_of_memory
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.feeds import files

BROKEN: Final = "The import could not be started because of an error in this service. Its log names the error"
RETRY_SECONDS: Final = 60.0  # after which a feed tries again that could not start an import


class NotStarted(Exception):
    """The import is not started: somebody else has started it, there is no place left, or the feed has changed."""


def find_share(runtime: Runtime) -> int:
    """How many places of an account's queue all of its feeds may take: half of them, at least one."""
    return max(1, runtime.settings.queue_limit // 2)


async def start_imports(runtime: Runtime, now: datetime) -> int:
    """Starts as many imports as there is room for, and returns their number. Raises Retryable."""
    async with runtime.database.read() as session:
        ready = await files.list_ready(session, now)
    started = 0
    for account_id, feeds in groupby(sorted(ready, key=find_account), key=find_account):
        async with runtime.database.read() as session:
            own = await load_runtime(session, runtime, account_id)
        started += await start_in_account(own, AccountId(account_id), list(feeds), now)
    return started


def find_account(row: Mapping[Any, Any]) -> int:
    account_id: int = row["account_id"]
    return account_id


async def start_in_account(
    runtime: Runtime, account_id: AccountId, ready: Sequence[Mapping[Any, Any]], now: datetime
) -> int:
    """`ready` are the account's feeds with files that wait: the next place goes to the one that has the fewest imports
    and, of several, to the one that has waited longest."""
    room = find_share(runtime) - ready[0]["in_account"]
    busy = {row["id"]: (row["importing"], number) for number, row in enumerate(ready)}
    submissions: dict[str, tuple[Feed, Submission]] = {}
    started = 0
    while busy and started < room:
        feed_id = min(busy, key=busy.__getitem__)
        try:
            if feed_id not in submissions:
                submissions[feed_id] = await prepare(runtime, account_id, feed_id)
            more = await start_oldest(runtime, *submissions[feed_id], now)
        except Refused as refused:
            if refused.code == "queue_full":
                break
            await note_refusal(runtime, account_id, feed_id, now, code=refused.code, detail=refused.detail)
            more = False
        except NotStarted:
            break
        except Exception as error:
            if isinstance(error, Retryable) or is_out_of_memory(error):
                raise
            runtime.observe(HousekeepingFailed("feed_imports", error_kind(error)))  # and the other feeds go on
            await note_refusal(runtime, account_id, feed_id, now, code="internal_error", detail=BROKEN)
            more = False
        started += more
        importing, number = busy.pop(feed_id)
        if more:
            busy[feed_id] = (importing + 1, number + len(ready))
    return started


async def prepare(runtime: Runtime, account_id: AccountId, feed_id: str) -> tuple[Feed, Submission]:
    """The feed, and what it wants imported, with connection and mapping as they are now. Raises Refused."""
    async with runtime.database.read() as session:
        feed = await load_feed(session, account_id, feed_id)
    wanted = {"name": feed.declared.name, **feed.declared.request}
    submission = await load_submission(runtime, account_id, feed.declared.connection_id, wanted, started_by=feed.id)
    await check_pull(runtime, submission)
    return feed, submission


async def start_oldest(runtime: Runtime, feed: Feed, submission: Submission, now: datetime) -> bool:
    """Starts the import of the feed's oldest file that waits; False if there is none. Run and note are stored in one
    transaction, so the file is imported once, whatever crashes and however many workers try. Raises Refused,
    NotStarted."""
    async with runtime.database.read() as session:
        row = await files.oldest_waiting(session, feed.id)
    if row is None:
        return False
    file, pull = watched_file_from(row), submission.file
    assert isinstance(pull, Pull)  # noqa: S101  for the type only
    async with runtime.database.transaction() as session:
        # From here on the account's row is locked, so the count below is exact.
        run = await store_pull(session, runtime, submission, replace(pull, path=file.path, version=file.version))
        await files.note_start(session, feed.id, now)  # locks the feed before its files, as a look does
        ours = await files.start(session, feed.id, file.key, run_id=run.id, updated_at=feed.updated_at)
        if not ours or await files.count_importing(session, feed.account_id) > find_share(runtime):
            raise NotStarted
    runtime.observe(FileStarted(feed.id, feed.account_id, run.id))
    await announce_run(runtime, run)
    return True


async def note_refusal(
    runtime: Runtime, account_id: AccountId, feed_id: str, now: datetime, *, code: str, detail: str
) -> None:
    async with runtime.database.transaction() as session:
        await files.note_refusal(session, feed_id, now, error=detail, wait=RETRY_SECONDS)
    runtime.observe(FileNotStarted(feed_id, account_id, code))


async def note_ends(runtime: Runtime, now: datetime, *, most: int = 100) -> int:
    """Notes what came of imports that have ended, of at most `most` feeds, and returns how many it were."""
    async with runtime.database.transaction() as session:
        return await files.note_ends(session, now, most=most)
