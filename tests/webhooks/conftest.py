"""An account with webhooks, a receiver, and a worker that sends when the test says so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.deliveries.webhooks.sending import MessageSender
from app.runtime import Runtime
from app.storage.clock.now import read_clock
from app.storage.database import ReadSession
from tests.support import http
from tests.support.http import Account, app_on, client_of, make_account
from tests.transports.servers.server import Certificates, policy
from tests.webhooks.receiver import Receiver, receiving


@dataclass
class ShiftedClock:
    """PostgreSQL's clock, ahead by as much as the test says."""

    ahead: float = 0.0

    async def __call__(self, session: ReadSession) -> datetime:
        return await read_clock(session) + timedelta(seconds=self.ahead)


@dataclass
class Hooked:
    """An account over HTTP, a receiver of its messages, and a worker."""

    api: httpx.AsyncClient
    runtime: Runtime
    account: Account
    receiver: Receiver
    clock: ShiftedClock
    secrets: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, expected: int = 200, **given: Any) -> dict[str, Any]:
        answer = await self.api.request(method, path, json=given or None)
        assert answer.status_code == expected, answer.text
        return dict(answer.json()) if answer.content else {}

    async def hook(self, **changed: Any) -> str:
        """The id of a new webhook."""
        body = {"name": "Warehouse", "url": self.receiver.url} | changed
        made = await self.send("POST", "/webhooks", 201, **body)
        self.secrets[made["id"]] = made["secret"]
        return str(made["id"])

    async def import_file(self, file: bytes = http.CONTACTS, **parts: str | None) -> str:
        """The id of an import, brought to its end or to where it is held."""
        accepted = await http.post(self.api, self.account, file, parts=parts)
        assert accepted.status_code == 201, accepted.text
        run_id = str(accepted.json()["id"])
        await self.work(run_id)
        return run_id

    async def work(self, run_id: str) -> None:
        await http.finish(self.runtime, run_id)

    async def deliver(self, seconds: float = 0) -> int:
        """So many seconds later a worker sends what is due, until nothing is. Returns how many messages it sent."""
        self.clock.ahead += seconds
        sender, sent = MessageSender(self.runtime), 0
        while True:
            async with asyncio.TaskGroup() as group:
                begun = await sender.send_due(group)
            sent += begun
            if not begun:
                return sent

    async def deliveries(self, hook: str) -> list[dict[str, Any]]:
        return list((await self.send("GET", f"/webhooks/{hook}/deliveries"))["results"])

    async def test(self, hook: str) -> str:
        return str((await self.send("POST", f"/webhooks/{hook}/test", 201))["id"])

    async def sql(self, statement: str, **values: object) -> list[Any]:
        async with self.runtime.database.transaction() as session:
            done = await session.execute(text(statement), values)
            return list(done.mappings().all()) if done.returns_rows else []


@pytest.fixture
async def receiver(certificates: Certificates) -> AsyncIterator[Receiver]:
    async with receiving(certificates.server()) as running:
        yield running


@pytest.fixture
async def hooked(runtime: Runtime, certificates: Certificates, receiver: Receiver) -> AsyncIterator[Hooked]:
    clock = ShiftedClock()
    calling = replace(runtime, transfer_policy=policy(certificates.client()), now=clock)
    account = await make_account(runtime)
    async with client_of(app_on(calling)) as api:
        api.headers.update(account.headers)
        hooked = Hooked(api, calling, account, receiver, clock)
        await hooked.sql("DELETE FROM webhooks")  # those of other tests, which the worker would send to
        yield hooked
