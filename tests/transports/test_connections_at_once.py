"""What happens to a connection at the same time: two callers, a test and a change, a change of the service's keys."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from app.imports.engine import work
from app.runs.lifecycle import work_on
from app.runs.model import RunId
from app.runtime import Runtime
from app.storage.blobs import Blobs, BlobsUnavailable, BlobWriter
from app.transports.options import TRUST_FIRST
from app.vault import build_vault
from tests.support.http import app_on, client_of
from tests.transports.servers.sftp import SftpServer, sftp_server
from tests.transports.test_connections import FILE, api, body, made, pulls

__all__ = ["api", "pulls"]

DECLARED = {"name": "x", "transport": "sftp", "host": "a.example.com", "user": "u", "hostKey": TRUST_FIRST}


@pytest.fixture
async def sftp() -> AsyncIterator[SftpServer]:
    async with sftp_server() as running:
        yield running


async def begun(api: httpx.AsyncClient, connection: dict[str, Any]) -> RunId:
    asked = {"path": "a.csv", "type": "contacts"}
    answer = await api.post(f"/connections/{connection['id']}/imports", json=asked)
    return RunId(answer.json()["results"][0]["importId"])


async def due(runtime: Runtime, run_id: RunId) -> None:
    async with runtime.database.transaction() as session:
        await session.execute(text("UPDATE runs SET due_at = now() WHERE id = :id"), {"id": run_id})
    await work_on(runtime, run_id, work, stopping=lambda: False)


async def test_of_many_connections_created_with_one_name_at_once_one_is_stored(api: httpx.AsyncClient) -> None:
    for number in range(5):
        posted = await asyncio.gather(
            *(api.post("/connections", json=DECLARED | {"name": f"a{number}"}) for _ in "1234")
        )
        assert sorted(each.status_code for each in posted) == [201, 409, 409, 409]
        others = [(await made(api, DECLARED | {"name": f"b{number}-{one}"}))["id"] for one in "1234"]
        named = DECLARED | {"name": f"c{number}"}
        renamed = await asyncio.gather(*(api.put(f"/connections/{other}", json=named) for other in others))
        assert sorted(each.status_code for each in renamed) == [200, 409, 409, 409]


async def test_a_connection_that_is_deleted_meanwhile_is_not_found(api: httpx.AsyncClient) -> None:
    for number in range(10):
        own = f"/connections/{(await made(api, DECLARED | {'name': f'd{number}'}))['id']}"
        puts = [api.put(own, json=DECLARED | {"name": f"e{number}"}) for _ in range(6)]
        answers = await asyncio.gather(*puts[:3], api.delete(own), *puts[3:])
        assert {each.status_code for each in answers} <= {200, 204, 404}


async def test_renaming_one_whose_secrets_cannot_be_opened_keeps_them(api: httpx.AsyncClient, pulls: Runtime) -> None:
    own = f"/connections/{(await made(api, DECLARED | {'password': 'p'}))['id']}"
    mistaken = replace(pulls, vault=build_vault("", "a key set wrong by mistake"))
    async with client_of(app_on(mistaken)) as wrong:
        wrong.headers.update(api.headers)
        renamed = await wrong.put(own, json=DECLARED | {"name": "renamed"})
        assert (renamed.status_code, renamed.json()["code"]) == (409, "secrets_locked")
        assert (await api.get(own)).json()["secrets"] == ["password"]
        assert (await wrong.put(own, json=DECLARED | {"password": "q"})).status_code == 200


async def test_a_test_of_a_connection_does_not_undo_a_change_made_meanwhile(
    api: httpx.AsyncClient, sftp: SftpServer
) -> None:
    """Else the new secret would go to the old server."""
    await sftp.store("a.csv", FILE)
    asked, changed = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await changed.wait()
        theirs, ours = await asyncio.open_connection(sftp.remote.host, sftp.remote.port)

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
            target.close()

        await asyncio.gather(pump(reader, ours), pump(theirs, writer), return_exceptions=True)

    async with await asyncio.start_server(slow, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = await made(api, body(sftp.remote) | {"hostKey": TRUST_FIRST, "port": port})
        own = f"/connections/{connection['id']}"
        trial = asyncio.create_task(api.post(f"{own}/test-import", json={"path": "a.csv"}))
        await asked.wait()
        moved = {"name": "moved", "transport": "ftps", "host": "new.example.com", "user": "new", "password": "NEW"}
        assert (await api.put(own, json=moved)).status_code == 200
        changed.set()
        assert (await trial).json()["ok"] is True
    now = (await api.get(own)).json()
    assert (now["name"], now["host"], now["user"]) == ("moved", "new.example.com", "new")


async def test_keys_are_changed_machine_by_machine(api: httpx.AsyncClient, sftp: SftpServer, pulls: Runtime) -> None:
    await sftp.store("a.csv", FILE)
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    changed, not_yet = (replace(pulls, vault=build_vault(keys, "pepper")) for keys in (f"{new},{old}", old))
    async with client_of(app_on(changed)) as client:
        client.headers.update(api.headers)
        run_id = await begun(client, await made(client, body(sftp.remote)))
    for _ in range(3):
        await due(not_yet, run_id)
    assert (await api.get(f"/imports/{run_id}")).json()["status"] == "inProgress"
    await due(changed, run_id)
    await due(changed, run_id)
    assert (await api.get(f"/imports/{run_id}")).json()["success"] == 2


class Full:
    """A store that takes no more."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)

    def create(self) -> BlobWriter:
        writer = self._blobs.create()

        def commit() -> str:
            raise BlobsUnavailable("The object store cannot be used")

        writer.commit = commit  # type: ignore[method-assign]
        return writer


async def test_a_bucket_that_was_away_does_not_use_up_the_tries_of_the_source(
    api: httpx.AsyncClient, sftp: SftpServer, pulls: Runtime
) -> None:
    await sftp.store("a.csv", FILE)
    run_id = await begun(api, await made(api, body(sftp.remote)))
    for _ in range(4):
        await due(replace(pulls, blobs=Full(pulls.blobs)), run_id)  # type: ignore[arg-type]
    await due(replace(pulls, transfer_policy=replace(pulls.transfer_policy, connect_seconds=0.0001, tries=1)), run_id)
    assert (await api.get(f"/imports/{run_id}")).json()["status"] == "inProgress"
    await due(pulls, run_id)
    await due(pulls, run_id)
    assert (await api.get(f"/imports/{run_id}")).json()["success"] == 2
