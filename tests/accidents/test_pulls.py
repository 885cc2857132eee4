"""Files that a worker fetches while the machine is in trouble: the source is not to blame, and nobody gives up."""

import resource
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.blobs import FileBlobs
from tests.engine.conftest import ImportEngine
from tests.storage.conftest import files
from tests.support.http import Account
from tests.support.limits import fill, limited, small_disk
from tests.transports.servers.http import http_server
from tests.transports.servers.server import Server, policy
from tests.transports.test_imports import OLD, Pulling

ROWS = 20_000
FILE = b"_email,_name\n" + b"".join(b"contact%d@example.org,Name of many letters\n" % row for row in range(ROWS))


@pytest.fixture
async def source() -> AsyncIterator[Server]:
    """A web server that has the file."""
    async with http_server(None) as running:
        await running.store("contacts.csv", FILE, OLD)
        yield running


async def test_a_pull_onto_a_full_disk_waits_and_leaves_nothing(
    runtime: Runtime, an_account: Account, source: Server, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "3m") as disk:
        here = replace(runtime, blobs=FileBlobs(disk / "blobs"))
        pulling = Pulling(here, an_account, policy(ssl.create_default_context()))
        (disk / "room").write_bytes(bytes(2_600_000))  # some of the file fits
        run = await pulling.start(source.remote, "contacts.csv")
        for _ in range(3):
            run = await pulling.slice(run)
            assert (run.state, run.waiting_for) == ("running", "storage")
            assert (run.crashes, run.fetches) == (0, 0)
            await pulling.soon(run)
        assert files(disk / "blobs") == set()
        (disk / "room").unlink()
        run = await pulling.finish(run)
        assert (run.state, run.created, run.crashes) == ("finished", ROWS, 0)


async def test_a_pull_that_may_not_write_so_much_waits_and_leaves_nothing(
    runtime: Runtime, an_account: Account, source: Server, tmp_path: Path
) -> None:
    """The same without a disk of the test's own."""
    here = replace(runtime, blobs=FileBlobs(tmp_path / "blobs"))
    pulling = Pulling(here, an_account, policy(ssl.create_default_context()))
    run = await pulling.start(source.remote, "contacts.csv")
    with limited(resource.RLIMIT_FSIZE, 200_000):
        run = await pulling.slice(run)
    assert (run.state, run.waiting_for, run.crashes, run.fetches) == ("running", "storage", 0, 0)
    assert files(tmp_path / "blobs") == set()
    await pulling.soon(run)
    run = await pulling.finish(run)
    assert (run.state, run.created) == ("finished", ROWS)


async def test_an_import_that_is_written_needs_no_room_on_the_disk_of_its_file(
    runtime: Runtime, an_account: Account, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "3m") as disk:
        engine = ImportEngine(replace(runtime, blobs=FileBlobs(disk / "blobs")), AccountId(an_account.id))
        run = await engine.submit(FILE)
        fill(disk)
        run = await engine.finish(run)
        assert (run.state, run.created) == ("finished", ROWS)
