"""The API is killed twice while failed rows are corrected or retried, and a worker in the run that comes of it: each
row goes in once, whatever the first import was, and the family adds up."""

import asyncio
import gzip
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest

from app.schedules.stored import ScheduleDeclaration, create_schedule
from tests.faults.arena import Arena, Part, until
from tests.faults.test_killed_api import Client, age, client_of, started, stored
from tests.faults.test_killed_feed import watching
from tests.faults.test_killed_idempotency import LET_GO
from tests.faults.test_killed_schedule import LATE
from tests.support import http
from tests.support.http import Account, app_on, finish, post
from tests.support.workbooks import xlsx
from tests.transports.servers.sftp import sftp_server
from tests.transports.test_connections import body
from workers.housekeeping import prune

pytestmark = pytest.mark.asyncio

ROWS, TYPE = 60, "contacts"
HEADER = ["_email", "_points"]
BAD: Final = "bad"
LINES = [[f"p{n}@example.org", BAD if n % 2 else "1"] for n in range(ROWS)]
FILE = "".join(f"{','.join(line)}\n" for line in [HEADER, *LINES]).encode()
FIXED = FILE.replace(BAD.encode(), b"1")
OBJECTS = "".join(json.dumps(dict(zip(HEADER, line, strict=True))) + "\n" for line in LINES).encode()
PLACES = {"hasHeader": False, "columns": [{"position": at, "field": name} for at, name in enumerate(HEADER)]}
OF_PARENT = "SELECT id FROM runs WHERE parent_id = $1"
SUMS = "SELECT sum(created)::int AS created FROM batches WHERE run_id = $1"


class Story:
    """An account over HTTP, without a socket."""

    def __init__(self, arena: Arena, client: httpx.AsyncClient, account: Account) -> None:
        self.arena, self.client, self.account = arena, client, account

    async def post(self, file: bytes = FILE, name: str = "c.csv", **parts: str | None) -> str:
        answer = await post(self.client, self.account, file, name=name, parts={"delimiter": ","} | parts)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def work(self, run_id: str) -> str:
        await finish(self.arena.runtime, run_id)
        return run_id

    async def send(self, address: str, **body: Any) -> dict[str, Any]:
        answer = await self.client.post(address, headers=self.account.headers, json=body or None)
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def read(self, run_id: str) -> dict[str, Any]:
        return dict((await self.client.get(f"/imports/{run_id}", headers=self.account.headers)).json())

    async def started_by_itself(self) -> str:
        """Workers bring what a feed or a schedule starts to its end."""
        worker = self.arena.worker()

        async def has_ended() -> bool:
            return bool(await self.arena.ask("SELECT FROM runs WHERE state = 'finished'"))

        await until(has_ended, "nothing is imported")
        assert await worker.stopped() == 0
        (run,) = await self.arena.ask("SELECT id FROM runs")
        return str(run["id"])


Make = Callable[[Story], Awaitable[str]]


def sending(file: bytes = FILE, name: str = "c.csv", **parts: str | None) -> Make:
    async def make(story: Story) -> str:
        return await story.work(await story.post(file, name, **parts))

    return make


async def resumed(story: Story) -> str:
    run_id = await story.work(await story.post(maxErrors="7"))
    assert (await story.arena.ask("SELECT state FROM runs"))[0]["state"] == "halted"
    await story.send(f"/imports/{run_id}/resume")
    return await story.work(run_id)


async def planned(story: Story) -> str:
    run_id = await story.work(await story.post(dryRun="true"))
    await story.send(f"/imports/{run_id}/commit", plan=(await story.read(run_id))["plan"])
    return await story.work(run_id)


async def cancelled(story: Story) -> str:
    """In the middle: some of its rows have failed, others were not looked at."""
    run_id = await story.work(await story.post(maxErrors="7"))
    await story.send(f"/imports/{run_id}/cancel")
    run = await story.read(run_id)
    assert 0 < run["errors"] < ROWS / 2
    return run_id


async def pulled(story: Story) -> str:
    async with sftp_server() as server:
        await server.store("in/c.csv", FILE)
        connection = await story.send("/connections", **body(server.remote))
        asked = {"connectionId": connection["id"], "path": "/in/c.csv"}
        run = await story.send("/imports", **http.PARTS, **asked)
        return await story.work(run["id"])


async def watched(story: Story) -> str:
    async with sftp_server() as server:
        await server.store("done/.keep", b"")
        await server.store("in/c.csv", FILE)
        await watching(story.arena, server)
        return await story.started_by_itself()


async def scheduled(story: Story) -> str:
    async with sftp_server() as server:
        await server.store("in/c.csv", FILE)
        connection = await story.send("/connections", **body(server.remote))
        request = {"path": "/in/c.csv", "type": TYPE, "delimiter": ","}
        async with story.arena.runtime.database.transaction() as session:
            declared = ScheduleDeclaration("s", "import", connection["id"], request, "0 0 1 1 *", "UTC")
            now = await story.arena.runtime.now(session)
            await create_schedule(session, story.arena.account_id, declared, now=now)
        await story.arena.ask(LATE, "s")
        return await story.started_by_itself()


# Each may be corrected and retried, and how.
PARENTS: dict[str, Make] = {
    "plain": sending(),
    "replacement": sending(replace="true"),
    "stopped at a bad row": sending(onError="stop"),
    "all or nothing": sending(onError="rollback"),
    "halted and resumed": resumed,
    "planned and applied": planned,
    "cancelled in the middle": cancelled,
    "gzip": sending(gzip.compress(FILE), "c.csv.gz"),
    "json lines": sending(OBJECTS, "c.jsonl", format="jsonl"),
    "utf-16": sending(FILE.decode().encode("utf-16"), encoding="utf-16"),
    "without a header": sending(FILE.split(b"\n", 1)[1], mapping=json.dumps(PLACES)),
    "workbook": sending(xlsx({"Sheet1": [HEADER, *LINES]}), "c.xlsx"),
    "pulled": pulled,
    "made by a feed": watched,
    "made by a schedule": scheduled,
}

# Corrected files are read as the first was, and a workbook's may be CSV.
FIXED_AS = {
    "json lines": OBJECTS.replace(BAD.encode(), b"1"),
    "without a header": FIXED.split(b"\n", 1)[1],
}


@asynccontextmanager
async def telling(arena: Arena) -> AsyncIterator[tuple[Story, Client, int]]:
    """The story, and the API process of it that may be killed, with its port."""
    async with client_of(arena) as (known, port), http.client_of(app_on(arena.runtime)) as client:
        yield Story(arena, client, Account(arena.account_id, "faults", known.key)), known, port


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["correction", pytest.param("corrected file", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "parent", [name if name == "plain" else pytest.param(name, marks=pytest.mark.slow) for name in PARENTS]
)
async def test_rows_go_in_once_whoever_dies(arena: Arena, parent: str, way: str) -> None:
    async with telling(arena) as (story, known, port):
        first = await story.read(await PARENTS[parent](story))
        (group,) = first["errorSummary"]
        correction = {"corrections": [{"column": group["column"], "from": BAD, "to": "1"}]}
        if parent == "all or nothing" and way == "correction":
            answer = await story.client.post(
                f"/imports/{first['id']}/corrections", headers=story.account.headers, json=correction
            )
            assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_retry")
            return
        fixed = FIXED_AS.get(parent, FIXED)
        sent = {"json": correction} if way == "correction" else {"files": {"file": ("fixed", fixed)}}
        again = await send_until_it_is_answered(story, known, port, first, sent)
        killed = arena.worker(f"{'merged' if first['errors'] > 1 else 'finishing'}:1:kill")
        assert await killed.ended() == -signal.SIGKILL
        arena.worker()
        await assert_in_once(story, first, again)
        age(arena.folder)
        await prune(arena.runtime, "")
        assert await arena.unowned_files() == []


async def send_until_it_is_answered(
    story: Story, known: Client, port: int, first: dict[str, Any], sent: dict[str, Any]
) -> str:
    """The API is killed when it has stored the file and the run is not there yet, and then when the run is there and
    nobody has been told. Returns the id of the one run that is made."""
    path = f"{known.url}/imports/{first['id']}/{'corrections' if 'json' in sent else 'retry'}"
    headers = story.account.headers | {"Idempotency-Key": "once"}

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(timeout=30) as client:
            return await client.post(path, headers=headers, **sent)

    for accepted in (False, True):
        api = await started(story.arena, known, port)
        await kill_before_the_answer(story.arena, first["id"], api, send, accepted=accepted)
        await story.arena.ask(LET_GO)
    await started(story.arena, known, port)
    answers = [await send(), await send()]
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.headers["idempotent-replayed"] == "true" for answer in answers)
    (run,) = await story.arena.ask(OF_PARENT, first["id"])
    assert {answer.json()["id"] for answer in answers} == {run["id"]}
    return str(run["id"])


async def kill_before_the_answer(
    arena: Arena, first: str, api: Part, send: Callable[[], Awaitable[httpx.Response]], *, accepted: bool
) -> None:
    """While the account is locked the file is stored and nothing accepted. While Valkey stands still the run is
    accepted and not announced, and nobody is told."""
    files, other, valkey = len(stored(arena.folder)), await arena.connect(), arena.servers.valkey.child
    assert valkey is not None
    holding = other.transaction()
    await holding.start()
    await other.execute("SELECT FROM accounts FOR NO KEY UPDATE")
    asked = asyncio.ensure_future(send())
    try:
        await until(lambda: len(stored(arena.folder)) > files, "no file is stored")
        assert not await arena.ask(OF_PARENT, first)
        if accepted:
            valkey.process.send_signal(signal.SIGSTOP)
            await holding.rollback()
            await until(lambda: is_accepted(arena, first), "nothing is accepted")
        api.end()
        assert await api.ended() == -signal.SIGKILL
    finally:
        valkey.process.send_signal(signal.SIGCONT)
        await other.close()
    with pytest.raises(httpx.TransportError):
        await asked


async def is_accepted(arena: Arena, first: str) -> bool:
    return bool(await arena.ask(OF_PARENT, first))


async def has_finished(arena: Arena, run_id: str) -> bool:
    return bool(await arena.ask("SELECT FROM runs WHERE id = $1 AND state = 'finished'", run_id))


async def assert_in_once(story: Story, first: dict[str, Any], again: str) -> None:
    """Of the rows that the first import has not brought in, the second has all that it was sent."""
    await until(lambda: has_finished(story.arena, again), "the run does not end")
    run, ledger = await story.read(again), await story.arena.ask(SUMS, again)
    sent = ROWS if run["relation"] == "retry" else first["errors"]
    outcomes = ("created", "updated", "unchanged", "skipped")
    assert (run["status"], run["total"], run["errors"], sum(run[name] for name in outcomes)) == (
        "finished",
        sent,
        0,
        sent,
    )
    assert [each["created"] for each in ledger] == [run["created"]]
    family = (await story.read(first["id"]))["family"]
    records = await story.arena.ask("SELECT data FROM records")
    assert (family["total"], family["runs"], family["success"]) == (ROWS, 2, len(records))
    assert len(records) == first["created"] + run["created"]
