"""The FTP server of an item sync is killed at each step: readers see one catalogue or the other, and it goes on."""

import signal
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.connections.connection import create_connection
from app.embedded import free_port
from app.runs.model import Run
from app.syncs.check import check_sync
from app.syncs.intake import SyncRequest, submit_sync
from app.syncs.settings import SyncSettings
from app.syncs.stored import StoredSync, SyncDeclaration, create_sync
from app.transports.transport import Remote
from tests.faults.arena import Arena, Part, until
from tests.faults.test_killed_sync import catalogue, read
from tests.support.archives import zip_of
from tests.support.item_syncs import SyncEngine
from tests.support.pictures import picture
from tests.support.sweeps import few_or_all
from tests.transports.servers.server import PASSWORD, USER
from tests.transports.test_connections import body

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]

IMAGES = "SELECT key FROM records WHERE account_id = $1 AND type = 'item-images'"
# Where the server dies, in the order of the steps of one sync. It is another server each time, which counts anew.
STEPS = (
    "PASS:1",  # nobody is let in
    "MLSD:1",  # the listing of the items
    "MLSD:2",  # that of the filters
    "MLSD:3",  # the second look, by which files are known to be complete
    "RETR:1",  # the first file, before its first byte
    "sent:2",  # and in its midst
    "RETR:2",  # the second file
    "RETR:2",  # the pictures, which follow it
    "sent:3",
    "RNTO:1",  # the first move
    "renamed:1",  # done, and not told
    "RNFR:1",  # the second move
)
FEW_OR_ALL = few_or_all(STEPS, ("MLSD:3", "sent:2", "renamed:1"))


class Shop:
    """A shop with a new catalogue on an FTP server, and the old one in the records."""

    def __init__(self, arena: Arena, folder: Path) -> None:
        self.arena, self.home, self.port = arena, folder / "home", free_port()
        items, filters = catalogue("new")
        files = {
            "items/a.csv": items.encode(),
            "itemfilters/f.csv": filters.encode(),
            "itempictures.zip": zip_of({"new00.jpg": picture()}),
            "done/x.csv": b"of yesterday",
        }
        for name, data in files.items():
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_bytes(data)

    async def serve(self, dies: str = "") -> Part:
        server = self.arena.ftp(self.home, self.port, dies)

        def answers() -> bool:
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True

        await until(answers, "the FTP server does not start")
        return server

    async def declare(self) -> StoredSync:
        settings = SyncSettings(
            items_path="items/", filters_path="itemfilters/", images_path="itempictures.zip", mode="full",
            afterwards="move:done", quiet_seconds=0, max_removed_share=None,
        )  # fmt: skip
        remote = Remote("ftp", "127.0.0.1", self.port, user=USER, password=SecretStr(PASSWORD))
        vault, account_id = self.arena.runtime.vault, self.arena.account_id
        async with self.arena.runtime.database.transaction() as session:
            connection = await create_connection(session, vault, account_id, body(remote))
            return await create_sync(session, vault, account_id, SyncDeclaration("Shop", connection.id, settings))

    async def begin(self) -> Run:
        engine = SyncEngine(self.arena.runtime, self.arena.account_id)
        assert (await engine.run(*catalogue("old"))).state == "finished"
        sync = await self.declare()
        return await submit_sync(self.arena.runtime, SyncRequest(self.arena.account_id, sync.id, created_by="tests"))

    def names(self) -> set[str]:
        return {str(path.relative_to(self.home)) for path in self.home.rglob("*") if path.is_file()}


@FEW_OR_ALL
async def test_the_server_is_killed_at_steps_of_a_sync(arena: Arena, tmp_path: Path, steps: tuple[str, ...]) -> None:
    shop = Shop(arena, tmp_path)
    run = await shop.begin()
    server = await shop.serve(steps[0])
    worker = arena.worker()
    for step, following in zip(steps, (*steps[1:], ""), strict=True):
        assert await server.ended() == -signal.SIGKILL, step
        moving = step.startswith(("RN", "renamed"))
        assert await read(arena) == ("new" if moving else "old"), step
        server = await shop.serve(following)
    row = await arena.ended(run)
    assert (row["state"], row["removed"], row["warnings"]) == ("finished", 15, "[]"), arena.told()
    assert await read(arena) == "new"
    assert [each["key"] for each in await arena.ask(IMAGES, arena.account_id)] == ["new00_1"]
    assert shop.names() == {"done/a.csv", "done/f.csv", "done/x.csv", "itempictures.zip"}
    assert not [line for line in worker.trace() if line.startswith("SliceFailed")]  # it is no crash


@pytest.mark.slow
async def test_a_server_that_stays_dead_fails_the_sync_and_changes_nothing(arena: Arena, tmp_path: Path) -> None:
    shop = Shop(arena, tmp_path)
    run = await shop.begin()
    server = await shop.serve("MLSD:3")
    arena.worker()
    assert await server.ended() == -signal.SIGKILL
    row = await arena.ended(run)
    assert (row["state"], row["fail_code"]) == ("failed", "source_connect")
    assert await read(arena) == "old"
    assert shop.names() == {"items/a.csv", "itemfilters/f.csv", "done/x.csv", "itempictures.zip"}


async def test_a_server_killed_while_a_sync_is_tested_is_told_in_words(arena: Arena, tmp_path: Path) -> None:
    shop = Shop(arena, tmp_path)
    sync = await shop.declare()
    for dies in ("PASS:1", "MLSD:1", "MLSD:2", "MLSD:3", "RETR:1", "sent:1", "RETR:3"):
        server = await shop.serve(dies)
        report = await check_sync(arena.runtime, arena.account_id, sync)
        assert await server.ended() == -signal.SIGKILL, dies
        told = report.steps[-1].error or ""
        assert told.endswith(("The server cannot be reached", "The connection was lost")), dies
