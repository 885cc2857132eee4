"""Many clients wait at a real server: they cost it no connections to the database, and do not keep it from stopping."""

import asyncio
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import psutil
import pytest
from sqlalchemy import text

from app.embedded import Servers
from app.runtime import Runtime
from app.storage.database import Database, ReadSession
from app.storage.watching import watcher
from app.storage.watching.versions import RunVersion, read_versions
from app.storage.watching.watcher import Watcher
from tests.support.http import PARTS, Account, post
from tests.support.live import Live, running_live
from tests.support.object_store import Gate
from tests.support.servers import new_database, redis_number, settings_for

CLIENTS = 200
BAD = b"_email,_name,_points\na@example.org,A,many\n"


@pytest.fixture
def stoppable(servers: Servers, tmp_path: Path) -> Iterator[Live]:
    """A service whose API a test may stop."""
    with running_live(settings_for(tmp_path, new_database(servers, tmp_path.name), redis_number(servers, 6))) as live:
        yield live


async def halt_import(client: httpx.AsyncClient) -> httpx.Response:
    """An import that waits for somebody to decide, as a poll shows it."""
    parts = {**PARTS, "maxErrors": "0"}
    sent = await client.post("/imports", data=parts, files={"file": ("contacts.csv", BAD, "text/csv")})
    path, known = f"/runs/{sent.json()['id']}", sent.headers["ETag"]
    while True:
        answer = await client.get(path, headers={"Prefer": "wait=20", "If-None-Match": known})
        known = answer.headers["ETag"]
        if answer.status_code == 200 and answer.json()["status"] == "halted":
            return answer


@dataclass(frozen=True, slots=True)
class Crowd:
    """Clients that have asked something and read the answer to its end."""

    answers: list[asyncio.Task[bytes]]

    @property
    def statuses(self) -> set[bytes]:
        return {each.result().split(b" ", 2)[1] for each in self.answers}


async def ask(live: Live, request: bytes, asked: asyncio.Semaphore) -> bytes:
    async with asked:
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(request)
        await writer.drain()
    try:
        return await reader.read()
    finally:
        writer.close()


def gather_crowd(live: Live, number: int, path: str, headers: dict[str, str]) -> Crowd:
    lines = [f"GET {path} HTTP/1.1", "Host: sluice.test", "Connection: close", *map(": ".join, headers.items()), "", ""]
    asked, request = asyncio.Semaphore(20), "\r\n".join(lines).encode()
    return Crowd([asyncio.create_task(ask(live, request, asked)) for _ in range(number)])


async def count_busy(live: Live, watching: asyncpg.Connection) -> int:
    """How many connections of the API to PostgreSQL do anything at this moment."""
    ports = [each.laddr.port for each in psutil.Process(live.api.pid).net_connections() if each.raddr]
    busy = "SELECT count(*) FROM pg_stat_activity WHERE client_port = ANY($1) AND state <> 'idle'"
    return int(await watching.fetchval(busy, ports))


async def test_two_hundred_clients_wait_with_one_connection_and_none_keeps_the_service_from_stopping(
    stoppable: Live,
) -> None:
    assert stoppable.settings.database_url is not None
    key = {"Authorization": f"apiKey {await asyncio.to_thread(stoppable.key, 'shop')}"}
    watching = await asyncpg.connect(stoppable.settings.database_url.get_secret_value())
    async with httpx.AsyncClient(base_url=stoppable.url, headers=key, timeout=60) as client:
        halted, second = await halt_import(client), await halt_import(client)
        path, known = f"/runs/{halted.json()['id']}", {"If-None-Match": halted.headers["ETag"], "Prefer": "wait=60"}
        crowd = gather_crowd(stoppable, CLIENTS, path, key | known)
        quiet = 0
        while quiet < 20:  # until all have asked
            quiet = quiet + 1 if await count_busy(stoppable, watching) <= 2 else 0
            await asyncio.sleep(0.02)
        assert not any(each.done() for each in crowd.answers)
        await client.post(f"{path}/cancel")
        answers = await asyncio.gather(*crowd.answers)
        assert crowd.statuses == {b"200"}
        assert all(b'"status":"cancelled"' in each for each in answers)

        path, known = f"/runs/{second.json()['id']}", {"If-None-Match": second.headers["ETag"], "Prefer": "wait=60"}
        polls = gather_crowd(stoppable, 5, path, key | known)
        streams = gather_crowd(stoppable, 5, f"{path}/events", key)
        await asyncio.sleep(1.0)
    began = time.monotonic()
    stoppable.api.terminate()
    await asyncio.gather(*polls.answers, *streams.answers)
    assert (polls.statuses, streams.statuses) == ({b"304"}, {b"200"})
    assert await asyncio.to_thread(stoppable.api.wait, 20) == 0
    assert time.monotonic() - began < 5
    await watching.close()


async def test_who_waits_is_told_of_a_change_that_came_while_the_database_was_away(
    runtime: Runtime, client: httpx.AsyncClient, an_account: Account
) -> None:
    run_id = str((await post(client, an_account)).json()["id"])
    assert runtime.settings.database_url is not None
    address = urlsplit(runtime.settings.database_url.get_secret_value())
    gate = Gate(address.port or 5432)
    behind = Database(address._replace(netloc=f"{address.netloc.rpartition(':')[0]}:{gate.port}").geturl(), pool_size=1)
    watching = Watcher(behind)
    async with runtime.database.read() as session:
        seen = (await read_versions(session, [run_id]))[run_id]
    gate.cut_after(1)  # in the middle of the first look
    waiting = asyncio.create_task(watching.wait_for_change(run_id, seen.text))
    await asyncio.sleep(0.4)
    with gate.closed():
        async with runtime.database.transaction() as session:
            await session.execute(text("UPDATE runs SET name = 'New' WHERE id = :id"), {"id": run_id})
        await asyncio.sleep(0.4)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 10)
    await watching.close()
    await behind.close()
    gate.shut()


async def test_who_comes_while_the_watcher_looks_is_not_told_of_a_change_that_there_was_not(
    runtime: Runtime, client: httpx.AsyncClient, an_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [str((await post(client, an_account)).json()["id"]) for _ in range(2)]
    async with runtime.database.read() as session:
        versions = {run_id: each.text for run_id, each in (await read_versions(session, [first, second])).items()}
    watching = Watcher(runtime.database)
    came: list[asyncio.Task[None]] = []

    async def read_slowly(session: ReadSession, run_ids: Collection[str]) -> Mapping[str, RunVersion]:
        found = await read_versions(session, run_ids)
        if not came:
            came.append(asyncio.create_task(watching.wait_for_change(second, versions[second])))
            await asyncio.sleep(0)
        return found

    monkeypatch.setattr(watcher, "read_versions", read_slowly)
    waiting = asyncio.create_task(watching.wait_for_change(first, versions[first]))
    await asyncio.sleep(0.6)
    assert (len(came), came[0].done(), waiting.done()) == (1, False, False)
    for each in (*came, waiting):
        each.cancel()
    await watching.close()
