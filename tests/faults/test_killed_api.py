"""The API is killed around its answers and in mid-upload: whatever it acknowledged is done, and nothing else."""

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from app.auth.keys import SCOPES, create_key
from app.embedded import free_port
from app.runs.deletion import ORPHAN_SECONDS
from app.storage.access.accounts import account_named
from tests.faults.arena import SETTINGS, Arena, Part, until
from workers.housekeeping import prune

pytestmark = pytest.mark.asyncio

FIELDS = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
ROWS = 20


@dataclass(slots=True)
class Client:
    """Posts files, each with keys of its own, and writes down what was acknowledged."""

    url: str
    key: str
    posted: int = 0
    acknowledged: dict[str, int] = field(default_factory=dict)  # id -> number of the file

    async def post(self, client: httpx.AsyncClient) -> httpx.Response:
        number, self.posted = self.posted, self.posted + 1
        lines = ["_email,_name", *(f"f{number}r{row}@example.org,File {number}" for row in range(ROWS)), ""]
        files = {"file": ("contacts.csv", "\n".join(lines).encode(), "text/csv")}
        answer = await client.post(f"{self.url}/imports", headers=self.headers, data=FIELDS, files=files)
        if answer.status_code == 201:
            self.acknowledged[answer.json()["id"].removeprefix("aa_")] = number
        return answer

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"apiKey {self.key}"}


@asynccontextmanager
async def client_of(arena: Arena) -> AsyncIterator[tuple[Client, int]]:
    port = free_port()
    async with arena.runtime.database.transaction() as session:
        pepper = SETTINGS["SLUICE_SECRET_KEY"]
        key = await create_key(session, account="faults", scopes=list(SCOPES), label="test", pepper=pepper)
        assert await account_named(session, "faults") == arena.account_id
    yield Client(f"http://127.0.0.1:{port}", key), port


async def started(arena: Arena, client: Client, port: int) -> Part:
    api = arena.api(port)

    async def ready() -> bool:
        try:
            async with httpx.AsyncClient() as http:
                return (await http.get(f"{client.url}/healthz")).status_code == 200
        except httpx.TransportError:
            return False

    await until(ready, "the API does not get ready")
    return api


@pytest.mark.timeout(180)
@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=pytest.mark.slow)])
async def test_every_import_that_a_client_was_told_of_outlives_the_api(arena: Arena, rounds: int) -> None:
    chance = random.Random(20261121)
    async with client_of(arena) as (client, port):
        for _ in range(rounds):
            api = await started(arena, client, port)
            posting = asyncio.create_task(post_until_it_dies(client))
            await asyncio.sleep(0.05 + chance.random() * 0.4)
            api.end()
            await posting
            assert await api.ended() == -signal.SIGKILL
        assert client.acknowledged

        arena.worker()
        await started(arena, client, port)
        await until(lambda: nothing_open(arena), "not every import ends")
        await assert_all_told(arena, client)


async def post_until_it_dies(client: Client) -> None:
    async with httpx.AsyncClient() as http:
        while True:
            try:
                assert (await client.post(http)).status_code == 201
            except httpx.TransportError:
                return


async def nothing_open(arena: Arena) -> bool:
    return not await arena.ask("SELECT FROM runs WHERE state IN ('queued', 'running')")


async def assert_all_told(arena: Arena, client: Client) -> None:
    """Each acknowledged import is known and finished; one that was not acknowledged is there whole or not at all."""
    async with httpx.AsyncClient(headers=client.headers) as http:
        for run_id in client.acknowledged:
            told = (await http.get(f"{client.url}/imports/{run_id}")).json()
            assert (told["status"], told["total"], told["created"]) == ("finished", ROWS, ROWS)
    rows = await arena.ask("SELECT id, blob, created, state FROM runs")
    assert {(row["state"], row["created"]) for row in rows} == {("finished", ROWS)}
    assert set(client.acknowledged) <= {row["id"] for row in rows}
    found = await arena.ask("SELECT data FROM records")
    files = [json.loads(row["data"])["_name"].removeprefix("File ") for row in found]
    assert {str(number) for number in client.acknowledged.values()} <= set(files)
    assert len(files) == ROWS * len(rows)
    age(arena.folder)
    await prune(arena.runtime, "")
    assert {path.name for path in stored(arena.folder)} == {row["blob"] for row in rows}
    assert not incoming(arena.folder)


async def test_an_upload_cut_short_by_the_apis_death_is_not_an_import_and_is_swept_away(arena: Arena) -> None:
    async with client_of(arena) as (client, port):
        api = await started(arena, client, port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(half_an_upload(client))
        await writer.drain()
        await until(lambda: any(path.stat().st_size for path in incoming(arena.folder)), "nothing arrives")

        api.end()

        assert await api.ended() == -signal.SIGKILL
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        await prune(arena.runtime, "")
        assert len(incoming(arena.folder)) == 1, "it might still be growing"
        age(arena.folder)
        await prune(arena.runtime, "")
        assert not incoming(arena.folder)
        assert not stored(arena.folder)
        assert not await arena.ask("SELECT FROM runs")


def half_an_upload(client: Client) -> bytes:
    parts = "".join(
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in FIELDS.items()
    )
    head = (
        "POST /imports HTTP/1.1\r\nHost: sluice\r\nContent-Type: multipart/form-data; boundary=cut\r\n"
        f"Content-Length: 4000000\r\nAuthorization: apiKey {client.key}\r\n\r\n"
    )
    file = '--cut\r\nContent-Disposition: form-data; name="file"; filename="contacts.csv"\r\n\r\n_email,_name\r\n'
    return (head + parts + file).encode() + b"ann@example.org,Ann\r\n" * 100_000


async def test_an_import_posted_while_valkey_is_down_is_accepted_and_finishes(arena: Arena) -> None:
    async with client_of(arena) as (client, port):
        await started(arena, client, port)
        arena.servers.valkey.kill()
        began = time.monotonic()
        async with httpx.AsyncClient(timeout=30) as http:
            answer = await client.post(http)
        assert answer.status_code == 201
        assert time.monotonic() - began < 10

        arena.servers.valkey.start()
        arena.worker()

        (run_id,) = client.acknowledged
        await until(lambda: nothing_open(arena), "the import does not end")
        row = await arena.ask("SELECT state, created FROM runs WHERE id = $1", run_id)
        assert row == [{"state": "finished", "created": ROWS}]


def incoming(folder: Path) -> list[Path]:
    return list((folder / "blobs/incoming").iterdir())


def stored(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs/stored").glob("*/*") if path.is_file()]


def age(folder: Path) -> None:
    """Makes every file older than anything that may still be wanted."""
    long_ago = time.time() - ORPHAN_SECONDS - 60
    for path in [*incoming(folder), *stored(folder)]:
        os.utime(path, (long_ago, long_ago))
