"""Whatever dies while an item sync fetches its files and moves them in the end: each is read once and moved once."""

import signal
from collections.abc import AsyncIterator

import pytest

from app.connections.connection import create_connection
from app.runs.model import Run
from app.syncs.intake import SyncRequest, submit_sync
from app.syncs.settings import SyncSettings
from app.syncs.stored import SyncDeclaration, create_sync
from tests.faults.arena import Arena, until
from tests.support.sweeps import few_or_all
from tests.transports.servers.sftp import SftpServer, sftp_server
from tests.transports.test_connections import body

pytestmark = pytest.mark.asyncio

FILES = {
    "items/a.csv": b"ItemCode\nold\nnew\n",
    "items/b.csv": b"ItemCode\nnewer\n",
    "itemfilters/f.csv": b"ItemCode;ClassName;ClassValue\nnew;Color;Red\n",
    "done/x.csv": b"of yesterday",
}
# The steps at which somebody dies, in their order, and at which of their occurrences.
STEPS = ("looked:1", "arriving:1", "kept:1", "settled:1", "listed:1", "disposed:1", "noted:1")
FEW_OR_ALL = few_or_all(STEPS, ("kept:1", "disposed:1"))


@pytest.fixture
async def sftp() -> AsyncIterator[SftpServer]:
    async with sftp_server() as running:
        for name, data in FILES.items():
            await running.store(name, data)
        yield running


async def started(arena: Arena, server: SftpServer) -> Run:
    settings = SyncSettings(
        items_path="items/", filters_path="itemfilters/", images_only_from_pim=True, afterwards="move:done",
        quiet_seconds=0,
    )  # fmt: skip
    vault, account_id = arena.runtime.vault, arena.account_id
    async with arena.runtime.database.transaction() as session:
        connection = await create_connection(session, vault, account_id, body(server.remote))
        sync = await create_sync(session, vault, account_id, SyncDeclaration("Shop", connection.id, settings))
    return await submit_sync(arena.runtime, SyncRequest(account_id, sync.id, created_by="tests"))


async def assert_done(arena: Arena, run: Run, server: SftpServer) -> None:
    row = await arena.ended(run)
    assert (row["state"], row["secret"], row["total"], row["created"]) == ("finished", None, 4, 4), arena.told()
    assert row["fetched_bytes"] == row["file_bytes"] == sum(map(len, FILES.values())) - len(FILES["done/x.csv"])
    assert await server.names() == {"done/a.csv", "done/b.csv", "done/f.csv", "done/x.csv"}


@FEW_OR_ALL
@pytest.mark.timeout(180)
async def test_a_worker_is_killed_at_each_step_of_one_sync(
    arena: Arena, sftp: SftpServer, steps: tuple[str, ...]
) -> None:
    run = await started(arena, sftp)
    for step in steps:
        assert await arena.worker(f"{step}:kill").ended() == -signal.SIGKILL, step
    arena.worker()
    await assert_done(arena, run, sftp)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_postgresql_is_killed_at_each_step_of_one_sync(arena: Arena, sftp: SftpServer) -> None:
    run = await started(arena, sftp)
    worker = arena.worker(",".join(f"{step}:wait" for step in STEPS))
    for number in range(1, len(STEPS) + 1):
        await worker.meets_fault(number)
        arena.servers.postgres.kill()
        worker.go_on()
        arena.servers.postgres.start()
    await assert_done(arena, run, sftp)
    assert not [line for line in worker.trace() if line.startswith("SliceFailed")]  # it is no crash
    assert await worker.stopped() == 0


async def test_a_worker_that_was_frozen_keeps_nothing_when_it_thaws(arena: Arena, sftp: SftpServer) -> None:
    run = await started(arena, sftp)
    zombie = arena.worker("kept:1:stop")
    await zombie.is_frozen()
    arena.worker()
    await arena.ended(run)
    zombie.thaw()
    assert await zombie.stopped() == 0
    await assert_done(arena, run, sftp)

    # What it had fetched is not left behind. (That of a killed worker is swept a day later.)
    known = {each["blob"] for each in await arena.ask("SELECT blob FROM blob_owners")}
    stored = arena.folder / "blobs" / "stored"
    await until(lambda: {path.name for path in stored.glob("*/*")} == known, "another file is left behind")
