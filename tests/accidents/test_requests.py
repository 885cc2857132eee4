"""Requests while the machine has no room or no file descriptor left: 503 with a time, and nothing is left behind."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.runtime import Runtime
from app.storage.blobs import FileBlobs
from tests.storage.conftest import files
from tests.support.http import Account, app_on, client_of, post
from tests.support.limits import fill, no_more_files, small_disk

ROWS = b"_email,_name\n" + b"ana@example.org,Ana\n" * 20_000
CUSTOMERS = [{"source_id": f"customer-{number}", "name": "Ana"} for number in range(5_000)]


async def upload(client: httpx.AsyncClient, account: Account) -> httpx.Response:
    return await post(client, account, ROWS)


async def send_list(client: httpx.AsyncClient, account: Account) -> httpx.Response:
    """A list in JSON becomes a file, too."""
    return await client.post("/v1/customers/bulk/async", headers=account.headers, json=CUSTOMERS)


@pytest.fixture
async def small(runtime: Runtime, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A service whose files are on a disk of a megabyte."""
    with small_disk(tmp_path / "disk") as disk:
        yield replace(runtime, blobs=FileBlobs(disk / "blobs"))


@pytest.mark.parametrize("send", [upload, send_list])
async def test_a_full_disk_is_503_and_leaves_nothing(small: Runtime, an_account: Account, send: object) -> None:
    assert callable(send)
    assert isinstance(small.blobs, FileBlobs)
    async with client_of(app_on(small)) as client:
        filler = fill(small.blobs.root.parent)
        refused = await send(client, an_account)
        assert refused.status_code == 503, refused.text
        assert int(refused.headers["retry-after"]) > 0
        for _ in range(3):
            ready = await client.get("/readyz")
            assert ready.status_code == 503
            assert ready.json()["parts"]["blobs"]["why"] == "The disk of the stored files is full"
        assert files(small.blobs.root) == set()
        filler.unlink()
        assert (await send(client, an_account)).is_success
        assert (await client.get("/readyz")).json()["parts"]["blobs"]["ok"] is True


@pytest.mark.parametrize("send", [upload, send_list])
async def test_no_file_descriptor_is_503_and_leaves_nothing(
    runtime: Runtime, an_account: Account, tmp_path: Path, send: object
) -> None:
    assert callable(send)
    store = FileBlobs(tmp_path / "blobs")
    async with client_of(app_on(replace(runtime, blobs=store))) as client:
        assert (await send(client, an_account)).is_success  # so that every connection is open
        before = files(store.root)
        with no_more_files():
            refused = await send(client, an_account)
            ready = await client.get("/readyz")
        assert refused.status_code == 503, refused.text
        assert int(refused.headers["retry-after"]) > 0
        assert "ulimit -n" in ready.json()["parts"]["blobs"]["why"]
        assert files(store.root) == before
