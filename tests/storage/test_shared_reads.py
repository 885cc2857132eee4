"""Polls that share their reads: each is told what was true after it had asked, and only what is its own."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.auth.keys import revoke_key
from app.runtime import Runtime
from app.storage import runs
from app.storage.database import ReadSession
from app.storage.sharing import shared_reads
from app.storage.sharing.shared_reads import FEW_KEYS, MOST_KEYS, SharedReads
from tests.conftest import NewAccount
from tests.support.http import post


class Store:
    """Values by key, read as slowly as a test wants. Notes the keys of each read."""

    def __init__(self) -> None:
        self.values = {f"key {number}": number for number in range(MOST_KEYS + 5)}
        self.reads: list[list[str]] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def read(self, _: None, keys: Collection[str]) -> Mapping[str, int]:
        self.reads.append(list(keys))
        found = {key: self.values[key] for key in keys if key in self.values}
        await self.goes_on.wait()
        if "broken" in keys:
            raise ValueError("broken")
        return found


async def ask(shared: SharedReads[None, str, int], *keys: str) -> list[asyncio.Task[int | None]]:
    asked = [asyncio.create_task(shared.get(key)) for key in keys]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return asked


async def test_who_asks_while_a_read_is_under_way_shares_the_next_one_and_hears_what_is_new() -> None:
    store = Store()
    shared = SharedReads(nullcontext, store.read)
    store.goes_on.clear()
    first = await ask(shared, "key 1")
    await asyncio.sleep(0)
    store.values["key 1"] = 100  # after the first has been read, and before the others ask
    others = await ask(shared, "key 1", "key 2", "nothing", "key 1")
    store.goes_on.set()
    assert await asyncio.gather(*first, *others) == [1, 100, 2, None, 100]
    assert store.reads == [["key 1"], ["key 1", "key 2", "nothing"]]
    assert await shared.get("key 1") == 100
    assert len(store.reads) == 3, "nothing is kept"


async def test_a_read_takes_a_bounded_number_of_keys() -> None:
    store = Store()
    shared = SharedReads(nullcontext, store.read)
    assert await asyncio.gather(*map(shared.get, store.values)) == list(store.values.values())
    assert [len(keys) for keys in store.reads] == [MOST_KEYS, 5]
    await asyncio.gather(*map(SharedReads(nullcontext, store.read, FEW_KEYS).get, store.values))
    assert {len(keys) for keys in store.reads[2:]} == {FEW_KEYS}


async def test_a_read_that_fails_and_a_client_that_goes_away_disturb_nobody_who_asks_later() -> None:
    store = Store()
    shared = SharedReads(nullcontext, store.read)
    store.goes_on.clear()
    failing = await ask(shared, "broken", "key 1")
    await asyncio.sleep(0)
    gone, stays = await ask(shared, "key 2", "key 2")
    gone.cancel()
    store.goes_on.set()
    assert [type(each) for each in await asyncio.gather(*failing, return_exceptions=True)] == [ValueError, ValueError]
    assert await stays == 2
    assert gone.cancelled()


async def test_a_read_that_takes_long_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_reads, "PATIENCE_SECONDS", 0.01)
    store = Store()
    shared = SharedReads(nullcontext, store.read)
    held, store.goes_on = store.goes_on, asyncio.Event()
    (slow,) = await ask(shared, "key 1")
    await asyncio.sleep(0)
    slow_goes_on, store.goes_on = store.goes_on, held
    assert await asyncio.wait_for(shared.get("key 2"), 10) == 2
    assert not slow.done()
    slow_goes_on.set()
    assert await slow == 1


async def test_polls_of_several_accounts_share_few_reads_and_see_their_own_runs_alone(
    client: httpx.AsyncClient, a_key: NewAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = [await a_key() for _ in range(3)]
    started = [str((await post(client, each)).json()["id"]) for each in accounts]
    reads = list[int]()

    async def counted(session: ReadSession, run_ids: Collection[str]) -> Mapping[str, Any]:
        reads.append(len(run_ids))
        return await find_lean(session, run_ids)

    find_lean = runs.find_lean
    monkeypatch.setattr(runs, "find_lean", counted)
    pairs = [(account, run_id) for account in accounts for run_id in started] * 2
    answers = await asyncio.gather(*(client.get(f"/imports/{run}", headers=each.headers) for each, run in pairs))
    for (account, run_id), answer in zip(pairs, answers, strict=True):
        assert answer.status_code == (200 if started.index(run_id) == accounts.index(account) else 404)
        assert answer.status_code == 404 or answer.json()["id"] == run_id
    assert len(reads) < len(pairs) / 2
    assert max(reads) == len(started)


async def test_in_a_stream_of_polls_a_change_and_a_revoked_key_count_from_the_next_request_on(
    client: httpx.AsyncClient, runtime: Runtime, a_key: NewAccount
) -> None:
    account = await a_key()
    path = f"/runs/{(await post(client, account)).json()['id']}"
    over = asyncio.Event()

    async def poll_on() -> None:
        while not over.is_set():
            await client.get(path, headers=account.headers)

    polling = [asyncio.create_task(poll_on()) for _ in range(6)]
    for name in ("first", "second", "third"):
        async with runtime.database.transaction() as session:
            await session.execute(text("UPDATE runs SET name = :name WHERE id = :id"), {"name": name, "id": path[6:]})
        assert (await client.get(path, headers=account.headers)).json()["name"] == name
    async with runtime.database.transaction() as session:
        await revoke_key(session, account.key.partition(":")[0])
    assert (await client.get(path, headers=account.headers)).status_code == 401
    over.set()
    await asyncio.gather(*polling)
