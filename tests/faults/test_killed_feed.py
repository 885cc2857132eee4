"""Whatever dies while a folder is watched: each file is imported once, and moved in the end."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest

from app.connections.connection import create_connection
from app.feeds.feed import FeedDeclaration
from app.feeds.stored import create_feed
from tests.faults.arena import Arena, until
from tests.support.sweeps import few_or_all
from tests.transports.servers.sftp import SftpServer, sftp_server
from tests.transports.test_connections import body

pytestmark = pytest.mark.asyncio

FILES = 3
KNOWN = "SELECT key, state, run_id, disposal FROM seen_files ORDER BY key"
# In the order of the life of a file, and at which occurrence: the first look only sees the files.
STEPS = {
    "FolderListed": 2,
    "FileStarted": 1,
    "fetched": 1,
    "settled": 1,
    "RunEnded": 1,
    "disposed": 1,
    "FileDisposed": 1,
}
FEW_OR_ALL = few_or_all(STEPS, ("FileStarted", "RunEnded", "disposed"))


@pytest.fixture
async def sftp() -> AsyncIterator[SftpServer]:
    async with sftp_server() as running:
        await running.store("done/.keep", b"")
        for number in range(FILES):
            await running.store(f"in/{number}.csv", f"_email\nperson{number}@example.org\n".encode())
        yield running


async def watching(arena: Arena, server: SftpServer) -> None:
    """A feed that looks every second."""
    async with arena.runtime.database.transaction() as session:
        connection = await create_connection(session, arena.runtime.vault, arena.account_id, body(server.remote))
        declaration = FeedDeclaration(
            name="feed",
            connection_id=connection.id,
            request={"path": "/in/*.csv", "type": "contacts", "delimiter": ","},
            every=1,
            afterwards="move:/done",
            on_failed="keep",
        )
        now = await arena.runtime.now(session)
        await create_feed(session, arena.account_id, declaration, now, created_by="key")


async def assert_imported_once(arena: Arena, server: SftpServer) -> None:
    async def is_moved() -> bool:
        (counted,) = await arena.ask("SELECT count(*) FROM seen_files WHERE disposal = 'moved'")
        return bool(counted["count"] == FILES)

    await until(is_moved, "the files are not moved")
    assert await server.names() == {"done/.keep", *(f"done/{number}.csv" for number in range(FILES))}
    runs = await arena.ask("SELECT state, created, crashes FROM runs")
    assert [(each["state"], each["created"]) for each in runs] == [("finished", 1)] * FILES, arena.told()


@FEW_OR_ALL
async def test_a_worker_is_killed_at_steps_of_a_feed(arena: Arena, sftp: SftpServer, steps: tuple[str, ...]) -> None:
    await watching(arena, sftp)
    for step in steps:
        worker = arena.worker(f"{step}:{STEPS[step]}:kill")
        assert await worker.ended() == -signal.SIGKILL, step
    arena.worker()
    await assert_imported_once(arena, sftp)


async def test_a_worker_that_was_frozen_while_it_looked_changes_nothing(arena: Arena, sftp: SftpServer) -> None:
    await watching(arena, sftp)
    zombie = arena.worker("FolderListed:1:stop")
    await zombie.is_frozen()
    heir = arena.worker()
    await assert_imported_once(arena, sftp)
    assert await heir.stopped() == 0
    before = await arena.ask(KNOWN)
    feed = await arena.ask("SELECT round FROM feeds")
    zombie.thaw()
    await until(lambda: looked_again(arena, feed[0]["round"]), "the zombie does not go on")
    assert await arena.ask(KNOWN) == before
    assert await zombie.stopped() == 0


async def looked_again(arena: Arena, earlier: int) -> bool:
    (feed,) = await arena.ask("SELECT round, lease_until FROM feeds")
    return feed["round"] > earlier and feed["lease_until"] is None


@pytest.mark.timeout(180)
@FEW_OR_ALL
async def test_postgresql_is_killed_at_steps_of_a_feed(arena: Arena, sftp: SftpServer, steps: tuple[str, ...]) -> None:
    await watching(arena, sftp)
    worker = arena.worker(",".join(f"{step}:{STEPS[step]}:wait" for step in steps))
    for number in range(1, len(steps) + 1):
        await worker.meets_fault(number)
        arena.servers.postgres.kill()
        worker.go_on()
        await asyncio.to_thread(arena.servers.postgres.start)
    await assert_imported_once(arena, sftp)
    assert await worker.stopped() == 0
