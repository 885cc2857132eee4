"""Servers that send a byte now and then: they keep no slot from other accounts, and are given up in the end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from app.connections.check import ConnectionCheck, connect_briefly, read_beginning
from app.connections.pull import Pull
from app.imports.intake import Submission, submit
from app.queue.tasks import TASKS
from app.runs.model import AccountId, Run, run_from
from app.runtime import Runtime
from app.storage import runs
from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.fetch import fetch
from app.transports.transport import MOST_CALLS, Remote, TransferPolicy
from tests.support.http import make_account
from tests.transports.servers.ftp import Script
from tests.transports.servers.raw import gives, raw_web, web_at
from tests.transports.servers.server import policy
from tests.transports.test_conformance import Kept
from tests.transports.test_hostile_sources import FACTS
from workers.fetch_slots import FetchSlots
from workers.settings import build_fetch_slots
from workers.tasks import FUNCTIONS

FILE = b"_email,_name\nana@example.com,Ana\n"
PULLS = 8
BETWEEN_BYTES = 5.0  # seconds
SOON = 3.0  # seconds for a pull that takes 0.1
PLENTY = 1.0  # seconds that everybody may have to wait; it was three
CRAWLING = "The server sends too slowly: fewer than 1,000 bytes a second for a minute"
FETCH = FUNCTIONS[TASKS["import", "fetch"].name]


@pytest.fixture
def calls(runtime: Runtime) -> TransferPolicy:
    return policy(tls=runtime.transfer_policy.tls, idle_seconds=30)


async def start_pull(runtime: Runtime, account_id: int, port: int) -> Run:
    return await submit(runtime, Submission(AccountId(account_id), "api", "contacts", Pull(web_at(port), "/a.csv")))


async def load(runtime: Runtime, run: Run) -> Run:
    async with runtime.database.read() as session:
        row = await runs.get(session, run.account_id, run.id)
    assert row is not None
    return run_from(row)


@asynccontextmanager
async def working(ctx: dict[str, Any], started: list[Run]) -> AsyncIterator[set["asyncio.Task[None]"]]:
    """The tasks of a worker process that takes on these runs; those that still have a slot after a moment."""
    tasks = {asyncio.create_task(FETCH(ctx, run.id)) for run in started}
    try:
        _, under_way = await asyncio.wait(tasks, timeout=1)
        yield under_way
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_slow_pulls_of_one_account_do_not_delay_the_pull_of_another(
    runtime: Runtime, calls: TransferPolicy
) -> None:
    runtime = replace(runtime, transfer_policy=calls)
    ctx = make_context(runtime)
    hostile, other = await make_account(runtime), await make_account(runtime)
    async with raw_web(gives(FILE * 100), pause=BETWEEN_BYTES) as slow, raw_web(gives(FILE)) as quick:
        slow_pulls = [await start_pull(runtime, hostile.id, slow) for _ in range(PULLS)]
        async with working(ctx, slow_pulls) as under_way:
            assert len(under_way) == runtime.settings.fetches_at_once // 2
            ours = await start_pull(runtime, other.id, quick)
            begin = time.monotonic()
            await FETCH(ctx, ours.id)
            assert time.monotonic() - begin < SOON
            assert (await load(runtime, ours)).step == "write"


async def test_a_server_that_crawls_gives_its_slot_back_and_is_named_in_the_end(
    runtime: Runtime, calls: TransferPolicy
) -> None:
    runtime = replace(runtime, transfer_policy=replace(calls, pace_seconds=0.3))
    ctx = make_context(runtime)
    account = await make_account(runtime)
    async with raw_web(gives(FILE * 100), pause=0.1) as slow:
        run = await start_pull(runtime, account.id, slow)
        rounds = 0
        while not (run := await load(runtime, run)).done:
            await make_due(runtime, run)
            begin = time.monotonic()
            await FETCH(ctx, run.id)
            assert time.monotonic() - begin < SOON  # it is not tried again with the slot in hand
            rounds += 1
    assert (run.state, run.fail_code, run.fail_detail) == ("failed", "source_read", CRAWLING)
    assert (rounds, run.crashes) == (4, 0)


def make_context(runtime: Runtime) -> dict[str, Any]:
    """What ARQ hands to the tasks of a worker process."""
    fetches = build_fetch_slots(runtime.settings)
    return {"runtime": runtime, "stopping": lambda: False, "exhausted": asyncio.Event(), "fetches": fetches}


async def make_due(runtime: Runtime, run: Run) -> None:
    async with runtime.database.transaction() as session:
        await session.execute(text("UPDATE runs SET due_at = now() WHERE id = :id"), {"id": run.id})


async def test_a_slow_answer_to_whether_there_is_a_file_is_not_waited_for_for_ever(calls: TransferPolicy) -> None:
    async def never(policy: TransferPolicy) -> str:
        async with raw_web(lambda _: b"HTTP/1.1 200 OK\r\n", pause=1) as port:
            with pytest.raises(TransportFailed) as failed:
                await fetch(web_at(port), "/a.csv", policy, Kept())
        return failed.value.reason

    begin = time.monotonic()
    assert await never(replace(calls, opening_seconds=0.3, tries=1)) == "no_answer"
    assert time.monotonic() - begin < SOON


async def test_a_quick_server_is_not_slow_because_its_bytes_are_written_slowly(calls: TransferPolicy) -> None:
    sink = Kept()

    class Slow:
        begin, start_over = sink.begin, sink.start_over

        async def write(self, data: bytes) -> None:
            await asyncio.sleep(0.3)
            await sink.write(data)

    async with raw_web(gives(FILE)) as port:
        await fetch(web_at(port), "/a.csv", replace(calls, pace_seconds=0.2, least_speed=10_000_000), Slow())
    assert bytes(sink.data) == FILE


async def test_an_account_calls_few_servers_at_a_time_while_requests_wait(
    runtime: Runtime, calls: TransferPolicy
) -> None:
    """A server that does not go on would keep a socket of the API for each trial."""
    slow = replace(calls, account_id=1)
    async with raw_web(gives(FILE * 100), pause=BETWEEN_BYTES) as port:

        async def read_slowly() -> None:
            async with connect_briefly(web_at(port), slow) as transport:
                await read_beginning(transport, await transport.stat("/a.csv"), ConnectionCheck())

        trials = [asyncio.create_task(read_slowly()) for _ in range(MOST_CALLS)]
        await asyncio.wait(trials, timeout=0.5)
        with pytest.raises(TransportFailed, match="Too many tests and listings") as failed:
            async with replace(slow, connect_seconds=0.1).turn_to_call():
                pass
        async with replace(calls, account_id=2, connect_seconds=0.1).turn_to_call():
            pass  # another account does not wait
        for trial in trials:
            trial.cancel()
        await asyncio.gather(*trials, return_exceptions=True)
    assert failed.value.transient
    async with replace(slow, connect_seconds=0.1).turn_to_call():
        pass


def take(slots: FetchSlots, account_id: int) -> ExitStack | None:
    """A slot, held until it is closed; None if there is none."""
    with ExitStack() as stack:
        return stack.pop_all() if stack.enter_context(slots.slot(account_id)) else None


@pytest.mark.parametrize(("most", "share"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 4)])
def test_one_account_gets_half_of_the_slots_and_at_least_one(most: int, share: int) -> None:
    slots = FetchSlots(most, asks_every=3)
    taken = [take(slots, 1) for _ in range(most)]
    assert sum(slot is not None for slot in taken) == share


def test_accounts_take_turns_when_all_slots_are_taken() -> None:
    """Each asks again and again, the first ones with the oldest files, as the sweeper enqueues them."""
    accounts = (1, 2, 3, 4, 5)
    slots = FetchSlots(2, asks_every=3)
    held = [slot for each in (1, 2) if (slot := take(slots, each))]
    served: list[int] = []
    for _ in range(12):
        assert not any(take(slots, each) for each in accounts)
        held.pop(0).close()
        for each in accounts:
            if slot := take(slots, each):
                held.append(slot)
                served.append(each)
    assert served[:3] == [3, 4, 5]
    assert {served.count(each) for each in accounts} <= {2, 3}


def test_an_account_that_does_not_ask_any_more_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask_after_another(slots: FetchSlots) -> ExitStack | None:
        first, _second = take(slots, 1), take(slots, 2)
        assert first
        assert take(slots, 3) is None
        first.close()
        return take(slots, 1)

    assert ask_after_another(FetchSlots(2, asks_every=3)) is None  # it was the turn of 3
    monkeypatch.setattr("workers.fetch_slots.FEWEST_SECONDS", 0.0)
    assert ask_after_another(FetchSlots(2, asks_every=0)) is not None


@pytest.mark.parametrize("features", [None, FACTS["FEAT"]], ids=["LIST", "MLSD"])
async def test_a_long_listing_and_a_pattern_of_many_stars_freeze_nobody(
    calls: TransferPolicy, features: str | None
) -> None:
    names = [f"{'a' * 290}{number}" for number in range(40_000)]
    before = "Type=file;Size=1; " if features else "-rw-r--r-- 1 o g 1 Nov 20  2026 "
    listing = "".join(f"{before}{name}\r\n" for name in names).encode()
    script = Script({"MLSD": listing, "LIST": listing}, {"FEAT": features} if features else {})
    async with (
        script.running(),
        longest_pause() as pauses,
        connect(Remote("ftp", "127.0.0.1", script.port), calls) as transport,
    ):
        assert await transport.list("*a" * 145 + "x") == []
    assert max(pauses) < PLENTY


@asynccontextmanager
async def longest_pause() -> AsyncIterator[list[float]]:
    """The pauses of the event loop while the block runs, in seconds."""
    pauses: list[float] = []

    async def tick() -> None:
        while True:
            begin = time.monotonic()
            await asyncio.sleep(0.01)
            pauses.append(time.monotonic() - begin)

    ticking = asyncio.create_task(tick())
    try:
        yield pauses
    finally:
        ticking.cancel()
