"""An account with schedules, a clock that the test sets, and an FTP server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from app.schedules.start import start_due
from app.storage.database import ReadSession
from tests.support.http import Account, app_on, client_of
from tests.transports.servers.ftp import ftp_server
from tests.transports.servers.server import Certificates, Server, policy
from tests.transports.test_connections import body

NIGHTLY = "30 2 * * *"


@dataclass
class SetClock:
    """A clock that goes only when the test sets it."""

    at: datetime = datetime(2026, 11, 27, 12, tzinfo=UTC)

    async def __call__(self, session: ReadSession) -> datetime:
        return self.at

    def set(self, moment: str) -> None:
        """`moment` is in UTC, such as 2026-11-28T02:30."""
        self.at = datetime.fromisoformat(moment).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shop:
    """An account over HTTP, and a worker that looks for what is due when the test says so."""

    api: httpx.AsyncClient
    runtime: Runtime
    account: Account
    clock: SetClock = field(default_factory=SetClock)

    async def send(self, method: str, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
        answer = await self.api.request(method, path, json=body or None)
        assert answer.status_code == status, answer.text
        return dict(answer.json()) if answer.content else {}

    async def schedule(self, **changed: Any) -> str:
        """The id of a new schedule: an export of contacts every night at half past two, in UTC."""
        given = {"name": "Contacts", "kind": "export", "request": {"type": "contacts"}, "cron": NIGHTLY} | changed
        return str((await self.send("POST", "/schedules", 201, **given))["id"])

    async def see(self, schedule: str) -> dict[str, Any]:
        return await self.send("GET", f"/schedules/{schedule}")

    async def look(self, moment: str | None = None) -> None:
        """A worker looks for what is due, at that moment."""
        if moment is not None:
            self.clock.set(moment)
        await start_due(self.runtime)

    async def runs(self, schedule: str) -> list[dict[str, Any]]:
        """What the schedule has started, oldest first."""
        listed = await self.api.get("/runs", params={"createdBy": schedule})
        return list(listed.json()["results"])[::-1]

    async def sql(self, statement: str, **values: object) -> list[Any]:
        async with self.runtime.database.transaction() as session:
            done = await session.execute(text(statement), values)
            return list(done.mappings().all()) if done.returns_rows else []

    async def end_runs(self) -> None:
        await self.sql(
            "UPDATE runs SET state = 'failed', finished_at = now(), secret = NULL, fail_code = 'worker_crashed', "
            "fail_detail = '' WHERE account_id = :id AND finished_at IS NULL",
            id=self.account.id,
        )


@pytest.fixture
async def shop(runtime: Runtime, an_account: Account, certificates: Certificates) -> AsyncIterator[Shop]:
    clock = SetClock()
    timed = replace(runtime, now=clock, transfer_policy=policy(certificates.client()))
    async with client_of(app_on(timed)) as client:
        client.headers.update(an_account.headers)
        made = Shop(client, timed, an_account, clock)
        await made.sql("DELETE FROM schedules")  # what other tests have left would be due, too
        yield made


@pytest.fixture(scope="session")
async def running_ftp(certificates: Certificates) -> AsyncIterator[Server]:
    async with ftp_server("none", certificates) as running:
        yield running


@pytest.fixture
async def ftp(running_ftp: Server) -> Server:
    """An FTP server, empty and whole."""
    await running_ftp.clear()
    return running_ftp


@pytest.fixture
async def connection(shop: Shop, ftp: Server) -> str:
    """The id of a connection to it."""
    return str((await shop.send("POST", "/connections", 201, **body(ftp.remote)))["id"])
