"""A visit of a feed's folder: looks which files are there, then moves or deletes those that were dealt with.

Nothing that a visit learns is believed when another one has begun since. A folder that is missing or cannot be listed
changes nothing of what is known about its files.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from app.connections.check import connect_briefly
from app.connections.connection import load_connection
from app.errors import Refused
from app.feeds.feed import Feed, FeedState, WatchedFile, watched_file_from
from app.observe.events import StepReached
from app.observe.feed_events import FileDisposed, FileNotDisposed, FolderListed, FolderNotListed
from app.runtime import Runtime
from app.storage.feeds import files, visits
from app.transports import connect
from app.transports.afterwards import Disposal, dispose_of
from app.transports.failed import TransportFailed
from app.transports.transport import FileInfo, Remote, TransferPolicy, Transport, time_limit

VISIT_SECONDS: Final = 120.0
LEASE_SECONDS: Final = 150.0  # after which another worker may visit, if this one is dead or has met a bug
SETTLE_SECONDS: Final = 9.0  # from one look to the next: what has not changed meanwhile is complete
MOST_DISPOSALS: Final = 100  # of one visit
SHORTEST_WAIT: Final = 30.0  # after a first failure; then twice as long, and so on
LONGEST_WAIT: Final = 3_600.0
LARGEST: Final = 2**63 - 1  # bytes, that can be stored. Some servers say more of a file whose size they do not know


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that was begun. `now` is when; unless it `looks`, files are only moved or deleted."""

    feed: Feed
    now: datetime
    looks: bool = True
    waited_for: bool = False  # by a caller: with short limits, and nothing is moved or deleted

    @property
    def id(self) -> tuple[str, int]:
        return self.feed.id, self.feed.round


async def visit_folder(runtime: Runtime, visit: Visit) -> None:
    """Makes the visit and gives the feed back. After trouble of our own, which is raised, the lease runs out."""
    policy = runtime.policy_for(visit.feed.account_id)
    looked = False
    try:
        remote = await find_remote(runtime, visit.feed)
        async with (
            connect_briefly(remote, policy) if visit.waited_for else connect_patiently(remote, policy) as transport
        ):
            if visit.looks and not (looked := await look(runtime, visit, transport)):
                return
            if not visit.waited_for:
                await dispose_of_files(runtime, visit, transport)
    except TransportFailed as failed:
        await note_failure(runtime, visit, failed, looked=looked)
    except Refused as refused:
        await note_failure(runtime, visit, TransportFailed("address", refused.detail), looked=looked)
    async with runtime.database.transaction() as session:
        await visits.end_visit(session, visit.id, visit.now)


@asynccontextmanager
async def connect_patiently(remote: Remote, policy: TransferPolicy) -> AsyncIterator[Transport]:
    """A connection for a whole visit. Raises TransportFailed."""
    async with time_limit(VISIT_SECONDS, "too_slow"), connect(remote, policy) as transport:
        yield transport


async def find_remote(runtime: Runtime, feed: Feed) -> Remote:
    """Raises Refused: not_found (the connection was deleted), secrets_locked."""
    async with runtime.database.read() as session:
        connection = await load_connection(session, runtime.vault, feed.account_id, feed.declared.connection_id)
    return connection.remote()


async def look(runtime: Runtime, visit: Visit, transport: Transport) -> bool:
    """Notes which files are there. False if the visit does not count any more."""
    feed = visit.feed
    listed = await transport.list(feed.declared.path)
    runtime.observe(FolderListed(feed.id, feed.account_id, len(listed)))
    described = await asyncio.to_thread(describe_files, feed.declared.connection_id, listed)
    state = FeedState.OK if listed else FeedState.EMPTY
    async with runtime.database.transaction() as session:
        if not await visits.end_look(
            session, visit.id, visit.now, state=state, detail=None, failures=0, wait=feed.declared.every
        ):
            return False
        await files.record_look(
            session, feed.id, feed.declared.connection_id, visit.now, files=described, settle=SETTLE_SECONDS
        )
    return True


def describe_files(connection_id: str, listed: Sequence[FileInfo]) -> str:
    """The files as JSON, each with a key that is that of its version. Blocking: some 50 ms for 10,000 files."""
    return msgspec.json.encode(
        [
            {
                "key": hash_version(connection_id, file),
                "path": file.path,
                "size": file.size if file.size is None or file.size <= LARGEST else None,
                "modified": file.modified,
                "tag": file.tag,
            }
            for file in listed
        ]
    ).decode()


def hash_version(connection_id: str, file: FileInfo) -> str:
    """The same for the same version of a file. A tag changes with the bytes, so the time does not matter beside it."""
    moment = "" if file.tag or file.modified is None else file.modified.isoformat()
    version = "\0".join((connection_id, file.path, str(file.size), moment, file.tag or ""))
    return hashlib.sha256(version.encode("utf-8", "surrogatepass")).hexdigest()[:32]


async def dispose_of_files(runtime: Runtime, visit: Visit, transport: Transport) -> None:
    """Moves or deletes files whose imports have ended, one after the other. What fails is tried again later; a
    connection that is lost ends the visit."""
    async with runtime.database.read() as session:
        rows = await files.list_undisposed(session, visit.feed.id, visit.now, most=MOST_DISPOSALS)
    for file in map(watched_file_from, rows):
        try:
            disposal = await dispose_of_file(runtime, visit.feed, file, transport)
        except TransportFailed as failed:
            await note_failed_disposal(runtime, visit, [file], failed)
            if failed.transient:
                raise
        else:
            async with runtime.database.transaction() as session:
                await files.note_disposal(
                    session, visit.feed.id, file.key, disposal=disposal.outcome, moved_to=disposal.path
                )
            runtime.observe(FileDisposed(visit.feed.id, visit.feed.account_id, file.run_id or "", disposal.outcome))


async def dispose_of_file(runtime: Runtime, feed: Feed, file: WatchedFile, transport: Transport) -> Disposal:
    """Raises TransportFailed."""
    if (
        file.connection_id != feed.declared.connection_id
    ):  # the feed has another one by now, and the file is on the old server
        return Disposal("kept")
    disposal = await dispose_of(transport, file.version, feed.declared.afterwards_of(file.state), file.run_id or "")
    runtime.observe(StepReached(file.run_id or "", "disposed"))
    return disposal


async def note_failure(runtime: Runtime, visit: Visit, failed: TransportFailed, *, looked: bool) -> None:
    """A folder that is missing may come; a server that fails is asked more and more seldom."""
    feed, failures = visit.feed, visit.feed.failures + 1
    missing = failed.reason == "missing_folder"
    state = FeedState.MISSING if missing else FeedState.FAILING
    wait = max(feed.declared.every, 0 if missing else find_wait(failures))
    async with runtime.database.transaction() as session:
        if visit.looks and not looked:
            await visits.end_look(
                session, visit.id, visit.now, state=state, detail=failed.detail, failures=failures, wait=wait
            )
        undisposed = await files.list_undisposed(session, feed.id, visit.now, most=MOST_DISPOSALS)
    runtime.observe(FolderNotListed(feed.id, feed.account_id, failed.step, failures))
    await note_failed_disposal(runtime, visit, [watched_file_from(row) for row in undisposed], failed)


async def note_failed_disposal(
    runtime: Runtime, visit: Visit, undisposed: Sequence[WatchedFile], failed: TransportFailed
) -> None:
    feed = visit.feed
    for file in undisposed:
        async with runtime.database.transaction() as session:
            await files.note_failed_disposal(
                session, feed.id, file.key, visit.now, error=failed.detail, wait=find_wait(file.tries + 1)
            )
        runtime.observe(FileNotDisposed(feed.id, feed.account_id, file.run_id or "", failed.step, file.tries + 1))


def find_wait(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(LONGEST_WAIT, SHORTEST_WAIT * 2.0 ** min(failures - 1, 10))
