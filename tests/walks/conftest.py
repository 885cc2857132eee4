"""An account that a walk is made through, and what of it can be done and seen over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.auth.identity import Identity
from app.imports.plan import Options
from app.imports.single.write import write_record
from app.runs.lifecycle import work_on
from app.runs.model import RunId
from app.runtime import Runtime
from app.storage import records
from app.storage.journal.writer import tell_journal
from tests.support import http
from tests.support.http import Account
from tests.walks.model import BATCH_ROWS
from workers.engines import ENGINES

TYPE = "things"


@dataclass(frozen=True, slots=True)
class Service:
    """One account of a service whose workers write batches of two rows, one in each slice."""

    api: httpx.AsyncClient
    runtime: Runtime
    account: Account
    key_id: str

    async def send(self, method: str, path: str, **given: Any) -> httpx.Response:
        return await self.api.request(method, path, headers=self.account.headers | given.pop("headers", {}), **given)

    async def declare(self, sizes: list[str]) -> httpx.Response:
        fields = [
            {"id": "sku", "type": "text"},
            {"id": "name", "type": "text"},
            {"id": "size", "type": "enum", "options": sizes},
        ]
        return await self.send("PUT", f"/types/{TYPE}", json={"key": "sku", "fields": fields})

    async def work(self, run_id: str, kind: str) -> None:
        await work_on(self.runtime, RunId(run_id), ENGINES[kind])

    async def put(self, given: dict[str, str]) -> None:
        sender = Identity(self.key_id)
        await write_record(self.runtime, self.account.id, TYPE, given, Options(), sender=sender)

    async def delete(self, key: str) -> bool:
        async with self.runtime.database.transaction() as session:
            await tell_journal(session, sent_by=self.key_id)
            return await records.delete(session, self.account.id, TYPE, key)

    async def read_records(self) -> dict[str, dict[str, str]]:
        found = (await self.send("GET", f"/records/{TYPE}?limit=100")).json()["results"]
        return {each["key"]: each["data"] for each in found}

    async def list_messages(self) -> dict[str, list[str]]:
        """Of what webhooks are told, in its order, by the run."""
        statement = "SELECT run_id, event FROM webhook_deliveries WHERE account_id = :id ORDER BY begun_at"
        told: dict[str, list[str]] = {}
        async with self.runtime.database.read() as session:
            for run_id, event in await session.execute(text(statement), {"id": self.account.id}):
                told.setdefault(run_id, []).append(event.removeprefix("run."))
        return told


@pytest.fixture
async def service(runtime: Runtime, an_account: Account) -> AsyncIterator[Service]:
    settings = runtime.settings.model_copy(update={"batch_rows": BATCH_ROWS, "slice_seconds": 0.000_001})
    small = replace(runtime, settings=settings)
    async with runtime.database.read() as session:
        found = await session.execute(text("SELECT id FROM api_keys WHERE account_id = :id"), {"id": an_account.id})
        key_id = str(found.scalar_one())
    async with http.client_of(http.app_on(small)) as api:
        yield Service(api, small, an_account, key_id)
