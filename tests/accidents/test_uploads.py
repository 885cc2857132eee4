"""Uploads while the machine is in trouble: 503 on each surface, nothing is left behind, and /readyz says why."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest
from fastapi import FastAPI

from app.embedded import Servers
from app.runtime import Runtime
from app.storage.blobs import FileBlobs
from tests.storage.conftest import files
from tests.support.bodies import FORM, WRITES
from tests.support.http import Account, app_on, client_of
from tests.support.limits import fill, limited, small_disk
from tests.support.live import Live, running_live
from tests.support.observing import Collector
from tests.support.servers import new_database, redis_number, settings_for

UPLOADS = [
    "POST /imports",
    "POST /v1/customers/importCSV",
    "POST /v1/customers/bulk/async",
    "POST /v1/customers/metadata/async",
    "POST /v2/productimports",
]


async def send(client: httpx.AsyncClient, account: Account, line: str) -> httpx.Response:
    method, path = line.split()
    media_type, body = WRITES[line]
    return await client.request(method, path, headers=account.headers | {"Content-Type": media_type}, content=body)


def check_refusal(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert "No space left" not in answer.text
    assert "disk" not in answer.text  # that is for the operator


@pytest.mark.parametrize("line", UPLOADS)
async def test_an_upload_to_a_full_disk_is_told_to_come_again(
    runtime: Runtime, an_account: Account, tmp_path: Path, line: str
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        store = FileBlobs(disk / "blobs")
        filler = fill(disk)
        async with client_of(app_on(replace(runtime, blobs=store))) as client:
            check_refusal(await send(client, an_account, line))
            assert files(store.incoming) == set()
            ready = await client.get("/readyz")
            assert ready.json()["parts"]["blobs"] == {"ok": False, "why": "The disk of the stored files is full"}
            assert files(store.root) == set()
            filler.unlink()
            assert (await send(client, an_account, line)).is_success
            assert (await client.get("/readyz")).json()["parts"]["blobs"] == {"ok": True}


@pytest.mark.parametrize("line", UPLOADS)
async def test_an_upload_that_may_not_be_written_is_told_to_come_again(
    runtime: Runtime, an_account: Account, tmp_path: Path, line: str
) -> None:
    """The same without a disk of the test's own: this process may write no file."""
    store = FileBlobs(tmp_path / "blobs")
    quiet = replace(runtime, blobs=store, observe=Collector([]))  # what is logged goes to a file, too
    async with client_of(app_on(quiet)) as client:
        with limited(resource.RLIMIT_FSIZE, 0):
            refused = await send(client, an_account, line)
        check_refusal(refused)
        assert files(store.root) == set()
        assert (await send(client, an_account, line)).is_success


@pytest.fixture(scope="module")
def struck(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service that can be put into trouble."""
    data: Path = tmp_path_factory.mktemp("struck")
    settings = settings_for(data, new_database(servers, "struck"), redis_number(servers, 13))
    with running_live(settings) as running:
        yield running


@contextmanager
def without_files(live: Live) -> Iterator[None]:
    """The API can open nothing more."""
    process = psutil.Process(live.api.pid)
    before = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (4, before[1]))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_NOFILE, before)


def test_an_upload_without_file_descriptors_is_told_to_come_again(struck: Live) -> None:
    """The connection is there already; the file is not."""
    key = struck.key("struck")
    body = WRITES["POST /imports"][1]
    with httpx.Client(base_url=struck.url, timeout=10) as client:
        assert client.get("/imports", headers={"Authorization": f"apiKey {key}"}).status_code == 200
        before = struck.stored_files()
        with without_files(struck):
            refused = client.post(
                "/imports", headers={"Authorization": f"apiKey {key}", "Content-Type": FORM}, content=body
            )
            ready = client.get("/readyz")
        check_refusal(refused)
        assert ready.status_code == 503
        assert "ulimit -n" in ready.json()["parts"]["blobs"]["why"]
        assert struck.stored_files() == before
        accepted = client.post(
            "/imports", headers={"Authorization": f"apiKey {key}", "Content-Type": FORM}, content=body
        )
        assert accepted.status_code == 201


@pytest.mark.parametrize(
    "number", [errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENOMEM]
)
async def test_trouble_of_the_machine_anywhere_is_no_crash(runtime: Runtime, number: int) -> None:
    async with client_of(app_with_trouble(runtime, OSError(number, os.strerror(number), "/secret/path"))) as client:
        answer = await client.get("/trouble")
    check_refusal(answer)
    assert "/secret" not in answer.text


async def test_an_error_of_ours_is_still_a_crash(runtime: Runtime) -> None:
    wrong = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/missing")
    async with client_of(app_with_trouble(runtime, wrong)) as client:
        assert (await client.get("/trouble")).status_code == 500


def app_with_trouble(runtime: Runtime, trouble: OSError) -> FastAPI:
    app = app_on(runtime)

    @app.get("/trouble")
    async def meet_trouble() -> None:
        raise trouble

    return app


def test_a_full_disk_of_the_log_stops_nothing(servers: Servers, tmp_path: Path) -> None:
    """Every write to /dev/full fails, as on a disk without room."""
    tmp_path.joinpath("api.log").symlink_to("/dev/full")
    settings = settings_for(tmp_path, new_database(servers, "mute"), redis_number(servers, 14))
    with running_live(settings) as mute:
        key = mute.key("mute")
        headers = {"Authorization": f"apiKey {key}", "Content-Type": FORM}
        sent = httpx.post(f"{mute.url}/imports", headers=headers, content=WRITES["POST /imports"][1])
        assert sent.status_code == 201
        assert httpx.get(f"{mute.url}/imports", headers={"Authorization": "apiKey no:no"}).status_code == 401
