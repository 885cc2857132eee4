"""An account with feeds, a server that is watched, and a worker that looks when the test says so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.feeds.watch import FeedWatch, go_on
from app.runtime import Runtime
from app.storage.database import ReadSession
from tests.support.http import Account, app_on, client_of, finish, make_account
from tests.transports.servers.ftp import ftp_server
from tests.transports.servers.s3 import s3_server
from tests.transports.servers.server import Certificates, Server, policy
from tests.transports.servers.sftp import sftp_server
from tests.transports.test_connections import body

SERVERS = {"ftp": lambda known: ftp_server("none", known), "sftp": lambda _: sftp_server(), "s3": s3_server}
GOOD = b"_email,_points\n{name}@example.org,1\n"
BAD = b"_email,_points\n{name}@example.org,many\n"


def rows(name: str, template: bytes = GOOD) -> bytes:
    """A file with one row."""
    return template.replace(b"{name}", name.encode())


@dataclass
class SteppedClock:
    """A clock that goes only when the test says so."""

    at: datetime = datetime(2026, 11, 27, 12, tzinfo=UTC)

    async def __call__(self, session: ReadSession) -> datetime:
        return self.at

    def go(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Watched:
    """An account over HTTP, the server that its feeds watch, and a worker."""

    api: httpx.AsyncClient
    runtime: Runtime
    account: Account
    server: Server
    clock: SteppedClock
    connection: str
    feeds: list[str] = field(default_factory=list)

    async def send(self, method: str, path: str, expected: int = 200, **given: Any) -> dict[str, Any]:
        answer = await self.api.request(method, path, json=given or None)
        assert answer.status_code == expected, answer.text
        return dict(answer.json()) if answer.content else {}

    def declared(self, **changed: Any) -> dict[str, Any]:
        """The body of a feed of contacts in /in, whose files go to /done and /failed."""
        request = {"path": "/in/*.csv", "type": "contacts", "delimiter": ","} | changed.pop("request", {})
        return {
            "name": "Contacts",
            "connectionId": self.connection,
            "request": request,
            "afterwards": "move:/done",
            "onFailed": "move:/failed",
        } | changed

    async def feed(self, **changed: Any) -> str:
        """The id of a new feed."""
        made = await self.send("POST", "/feeds", 201, **self.declared(**changed))
        self.feeds.append(made["id"])
        return str(made["id"])

    async def see(self, feed: str) -> dict[str, Any]:
        return await self.send("GET", f"/feeds/{feed}")

    async def files(self, feed: str, **query: str) -> list[dict[str, Any]]:
        """What the feed has seen, in the order of the paths."""
        listed = await self.api.get(f"/feeds/{feed}/files", params={"limit": "1000", **query})
        assert listed.status_code == 200, listed.text
        return sorted(listed.json()["results"], key=lambda each: (each["path"], each["seenAt"]))

    async def visit(self, seconds: float = 60) -> None:
        """So many seconds later a worker visits what is due, until nothing is."""
        self.clock.go(seconds)
        watch = FeedWatch(self.runtime)
        for _ in range(20):
            async with asyncio.TaskGroup() as group:
                begun = await watch.begin_visits(group)
            if not begun:
                return
        raise AssertionError("a feed is visited again and again")

    async def start(self) -> list[dict[str, Any]]:
        """A worker starts what there is room for. Returns the open imports, oldest first."""
        await go_on(self.runtime)
        return await self.imports(status="queued")

    async def imports(self, **query: str) -> list[dict[str, Any]]:
        listed = await self.api.get("/runs", params={"kind": "import", "limit": "100", **query})
        return list(listed.json()["results"])[::-1]

    async def names_of_imports(self) -> list[str]:
        """The file of each import of the account, in the order in which they were accepted."""
        async with self.runtime.database.read() as session:
            found = await session.execute(
                text("SELECT file_name FROM runs WHERE account_id = :id ORDER BY seq"), {"id": self.account.id}
            )
            return list(found.scalars())

    async def work(self) -> None:
        """A worker ends all open imports, and notes it."""
        for each in await self.imports(status="queued"):
            await finish(self.runtime, each["id"])
        await go_on(self.runtime)

    async def settle(self) -> None:
        """Two looks, after which the files that are there wait or are imported."""
        await self.visit()
        await self.visit()

    async def sql(self, statement: str, **values: object) -> None:
        async with self.runtime.database.transaction() as session:
            await session.execute(text(statement), values)

    async def folders(self, *names: str) -> None:
        """Makes folders, where the server has such."""
        for name in names:
            await self.server.store(f"{name}/.keep", b"")


@pytest.fixture(scope="session", params=["ftp"])
async def started(request: pytest.FixtureRequest, certificates: Certificates) -> AsyncIterator[Server]:
    async with SERVERS[request.param](certificates) as running:
        yield running


@pytest.fixture
async def watched(started: Server, runtime: Runtime, certificates: Certificates) -> AsyncIterator[Watched]:
    """Tests are given an FTP server, or those that they name with `over`."""
    await started.clear()
    clock = SteppedClock()
    calling = replace(runtime, transfer_policy=policy(certificates.client()), now=clock)
    account = await make_account(runtime)
    async with client_of(app_on(calling)) as api:
        api.headers.update(account.headers)
        made = await api.post("/connections", json=body(started.remote))
        assert made.status_code == 201, made.text
        watched = Watched(api, calling, account, started, clock, made.json()["id"])
        await watched.sql("DELETE FROM feeds")  # those of other tests, which the worker would visit
        await watched.folders("in", "done", "failed")
        yield watched


over_all = pytest.mark.parametrize("started", list(SERVERS), indirect=True, scope="session")
