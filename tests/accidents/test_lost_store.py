"""A store that is not mounted, or is another's, is told from an empty one: nothing is accepted, swept or given up."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from typer.testing import CliRunner

from app.cli import cli
from app.imports.row_files.download import FAILED_ROWS, open_rows
from app.runs.deletion import sweep_blobs
from app.runs.model import AccountId, Run
from app.runtime import Runtime, open_runtime
from app.storage.blobs import BlobsUnavailable, BucketAccess, FileBlobs, open_blobs
from app.storage.blobs.errors import MARKER
from app.storage.blobs.marker import UNRECOGNISED, adopt_store, recognise_store
from tests.engine.conftest import ImportEngine, law
from tests.storage.conftest import OpenShared, files, objects, prefix, shared
from tests.support.http import Account, app_on, client_of, make_account, post
from tests.support.limits import small_disk
from tests.support.object_store import BUCKET, ObjectStore

__all__ = ["objects", "prefix", "shared"]

FILE = "_email,_name\nana@example.org,Ana\nnobody,Bob\n"


def root_of(runtime: Runtime) -> Path:
    assert isinstance(runtime.blobs, FileBlobs)
    return runtime.blobs.root


async def own_engine(runtime: Runtime) -> tuple[Account, ImportEngine]:
    account = await make_account(runtime)
    return account, ImportEngine(runtime, AccountId(account.id))


@contextmanager
def folder_away(root: Path) -> Iterator[None]:
    """Nothing is at the path."""
    root.rename(root.with_name("away"))
    yield
    root.with_name("away").rename(root)


@contextmanager
def folder_empty(root: Path) -> Iterator[None]:
    """What is below the mount point, after a process has started on it."""
    root.rename(root.with_name("away"))
    FileBlobs(root)
    yield
    root.rename(root.with_name("below"))
    root.with_name("away").rename(root)


@contextmanager
def folder_of_another(root: Path) -> Iterator[None]:
    root.rename(root.with_name("away"))
    FileBlobs(root).write_mark("another's")
    yield
    root.rename(root.with_name("theirs"))
    root.with_name("away").rename(root)


AWAY = [folder_away, folder_empty, folder_of_another]


@pytest.mark.parametrize("away", AWAY)
async def test_a_store_that_is_away_makes_everything_wait(
    alone: Runtime, away: Callable[[Path], AbstractContextManager[None]]
) -> None:
    account, engine = await own_engine(alone)
    ended, waiting = await engine.run(FILE), await engine.submit(FILE)
    orphan = alone.blobs.create()
    orphan.write(b"nobody's")
    orphan.commit()
    before = files(root_of(alone))
    async with client_of(app_on(alone)) as client:
        with away(root_of(alone)):
            await nothing_works(client, account, alone, ended)
            waiting = await engine.slice(waiting)
            assert (waiting.state, waiting.waiting_for, waiting.crashes) == ("running", "storage", 0)
        assert files(root_of(alone)) == before
        ready = (await client.get("/readyz")).json()
        assert ready["parts"]["blobs"]["ok"] is True
        assert (await post(client, account)).status_code == 201
    assert [row async for row in await open_rows(alone, ended, FAILED_ROWS)]
    done = await engine.finish(waiting)
    assert (done.state, done.processed, done.crashes) == ("finished", 2, 0)
    law(done)


async def nothing_works(client: httpx.AsyncClient, account: Account, runtime: Runtime, ended: Run) -> None:
    refused = await post(client, account)
    assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
    assert int(refused.headers["retry-after"]) > 0
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    part = ready.json()["parts"]["blobs"]
    assert part["ok"] is False
    assert "not mounted" in part["why"]
    rows = await client.get(f"/imports/{ended.id}/failed-rows.csv", headers=account.headers)
    assert rows.status_code == 503
    with pytest.raises(BlobsUnavailable):
        await sweep_blobs(runtime)


async def test_a_disk_that_is_unmounted_makes_everything_wait(alone: Runtime, tmp_path: Path) -> None:
    with small_disk(tmp_path / "mounted") as disk:
        runtime = replace(alone, blobs=FileBlobs(disk / "blobs"))
        await adopt_store(alone.database, runtime.blobs)
        await recognise_store(alone.database, runtime.blobs)
        _, engine = await own_engine(runtime)
        run = await engine.submit(FILE)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(disk)], check=True)  # hides what is there
        try:
            run = await engine.slice(run)
            assert (run.state, run.waiting_for, run.crashes) == ("running", "storage", 0)
        finally:
            subprocess.run(["umount", str(disk)], check=True)
        assert (await engine.finish(run)).processed == 2


async def test_a_bucket_that_is_another_makes_an_import_wait(
    alone: Runtime, shared: OpenShared, objects: ObjectStore, prefix: str
) -> None:
    here, there = (replace(alone, blobs=shared(name)) for name in ("one", "two"))
    for machine in (here, there):
        await adopt_store(alone.database, machine.blobs)
        await recognise_store(alone.database, machine.blobs)
    account, engine = await own_engine(here)
    run, other = await engine.submit(FILE), ImportEngine(there, AccountId(account.id))
    kept = {key: objects.client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in objects.keys(prefix)}
    for key in kept:
        objects.client.delete_object(Bucket=BUCKET, Key=key)
    async with client_of(app_on(there)) as client:
        assert (await post(client, account)).status_code == 503
        assert "not mounted" in (await client.get("/readyz")).json()["parts"]["blobs"]["why"]
    run = await other.slice(run)
    assert (run.state, run.waiting_for, run.crashes) == ("running", "storage", 0)
    with pytest.raises(BlobsUnavailable):
        await sweep_blobs(there)
    for key, body in kept.items():
        objects.client.put_object(Bucket=BUCKET, Key=key, Body=body)
    assert (await other.finish(run)).processed == 2


async def test_processes_that_start_at_once_agree_on_one_store(alone: Runtime) -> None:
    async with alone.database.transaction() as session:
        await session.execute(text("DELETE FROM blob_store"))
    (root_of(alone) / MARKER).unlink()
    stores = [FileBlobs(root_of(alone)) for _ in range(5)]
    await asyncio.gather(*(recognise_store(alone.database, store) for store in stores))
    ids = {store.store_id for store in stores}
    assert len(ids) == 1
    assert stores[0].read_mark() in ids
    for store in stores:
        store.check()


async def test_a_first_start_without_the_files_of_the_database_waits_for_them(alone: Runtime) -> None:
    """An upgrade from release 0.1, which knew no mark, while the folder is not mounted."""
    _, engine = await own_engine(alone)
    await engine.submit(FILE)
    await engine.sql("DELETE FROM blob_store")
    root = root_of(alone)
    (root / MARKER).unlink()
    async with AsyncExitStack() as stack:
        with folder_empty(root):
            runtime = await stack.enter_async_context(open_runtime(alone.settings))
            with pytest.raises(BlobsUnavailable, match="not mounted"):
                runtime.blobs.check()
            assert not (root / MARKER).exists()
        while runtime.blobs.store_id == UNRECOGNISED:
            await asyncio.sleep(0.05)
        runtime.blobs.check()


async def test_a_store_that_has_lost_some_files_is_still_the_one_of_the_database(alone: Runtime) -> None:
    """An upgrade from release 0.1, which knew no mark, after somebody deleted a file."""
    _, engine = await own_engine(alone)
    runs = [await engine.submit(FILE) for _ in range(3)]
    for lost in runs[:2]:
        alone.blobs.delete(lost.blob or "")
    await engine.sql("DELETE FROM blob_store")
    (root_of(alone) / MARKER).unlink()
    async with open_runtime(alone.settings) as runtime:
        runtime.blobs.check()
        engine = ImportEngine(runtime, engine.account_id)
        assert [(await engine.finish(run)).fail_code for run in runs] == ["source_missing"] * 2 + [None]


async def test_a_bucket_that_never_answers_holds_no_process_up(alone: Runtime) -> None:
    """A thread that waits for it would keep its process from ending for a minute."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"s3://{BUCKET}/?endpoint=http://127.0.0.1:{silent.getsockname()[1]}&region=x"
        access = BucketAccess(alone.settings.data / "silent", 10**9, SecretStr("key"), SecretStr("secret"))
        blobs = open_blobs(url, access)
        blobs.store_id = UNRECOGNISED
        asked = (blobs.read_mark, blobs.check, lambda: next(blobs.list_older_than(0), None))
        async with asyncio.timeout(6):
            trouble = await asyncio.gather(*map(asyncio.to_thread, asked), return_exceptions=True)
        assert [type(each) for each in trouble] == [BlobsUnavailable] * 3


def test_the_mark_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has its copy on the disk; an empty mark would make the store another's."""
    synced: list[str] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}")
        synced.extend([path.read_text()] if path.is_file() else [])
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    FileBlobs(tmp_path / "blobs").write_mark("ours")
    assert synced == ["ours"]


async def test_an_operator_who_lost_the_store_goes_on_with_another(
    alone: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, engine = await own_engine(alone)
    lost = await engine.submit(FILE)
    root = root_of(alone)
    root.rename(root.with_name("lost"))
    lost = await engine.slice(lost)
    assert (lost.done, lost.waiting_for) == (False, "storage")
    assert alone.settings.database_url is not None
    monkeypatch.setenv("SLUICE_DATABASE_URL", alone.settings.database_url.get_secret_value())
    monkeypatch.setenv("SLUICE_BLOBS", root.as_uri())
    adopted = await asyncio.to_thread(CliRunner().invoke, cli, ["blobs", "adopt"])
    assert adopted.exit_code == 0, adopted.output
    lost = await engine.finish(lost)  # nobody has to restart the service
    assert (lost.state, lost.fail_code) == ("failed", "source_missing")
    async with client_of(app_on(alone)) as client:
        assert (await post(client, account)).status_code == 201
