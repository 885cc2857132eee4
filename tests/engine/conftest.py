"""Imports as the engine's tests make them: bytes in, an ended run out, no HTTP and no queue."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from app.imports.engine import work
from app.imports.examine import Upload
from app.imports.intake import Submission, submit
from app.imports.plan import Options, ReadOptions
from app.mappings.mapping import Mapping
from app.runs.lifecycle import work_on
from app.runs.model import AccountId, Run, RunId, run_from
from app.runs.states import HELD
from app.runtime import Runtime
from app.storage import records, runs
from app.storage.access import accounts


class ImportEngine:
    """One account and what can be done with its imports."""

    def __init__(self, runtime: Runtime, account_id: AccountId) -> None:
        self.runtime = runtime
        self.account_id = account_id

    def with_settings(self, **values: object) -> "ImportEngine":
        settings = self.runtime.settings.model_copy(update=values)
        return ImportEngine(replace(self.runtime, settings=settings), self.account_id)

    async def submit(self, data: bytes | str, type: str = "contacts", *, delimiter: str = ",", **options: Any) -> Run:
        data = data.encode() if isinstance(data, str) else data
        writer = self.runtime.blobs.create()
        writer.write(data)
        upload = Upload(writer, "file.csv", len(data), hashlib.sha256(data).hexdigest(), "utf-8")
        declared = options.pop("format", None)
        read = ReadOptions(declared, delimiter)
        mapping = options.pop("mapping", None) or Mapping(constants=options.pop("constants", {}))
        wanted = Submission(self.account_id, "api", type, upload, read, mapping, Options(**options))
        return await submit(self.runtime, wanted)

    async def slice(self, run: Run) -> Run:
        await work_on(self.runtime, RunId(run.id), work)
        return await self.get(run)

    async def finish(self, run: Run) -> Run:
        """Slice after slice until the run has ended, or waits for somebody to decide."""
        while not ((run := await self.slice(run)).done or run.state in HELD):
            await asyncio.sleep(0)
        return run

    async def run(self, data: bytes | str, type: str = "contacts", **options: Any) -> Run:
        return await self.finish(await self.submit(data, type, **options))

    async def get(self, run: Run) -> Run:
        async with self.runtime.database.read() as session:
            row = await runs.get(session, self.account_id, run.id)
        assert row is not None
        return run_from(row)

    async def record(self, key: str, type: str = "contacts") -> dict[str, Any] | None:
        async with self.runtime.database.read() as session:
            row = await records.get(session, self.account_id, type, key)
        return None if row is None else json.loads(row["data"])

    async def keys(self, type: str = "contacts") -> list[str]:
        async with self.runtime.database.snapshot() as session:
            rows = (await records.page(session, self.account_id, type, after=None, limit=100_000, max_bytes=10**9)).rows
        return [row["key"] for row in rows]

    async def sql(self, statement: str, **values: object) -> list[Any]:
        async with self.runtime.database.transaction() as session:
            done = await session.execute(text(statement), values)
            return list(done.mappings().all()) if done.returns_rows else []


def law(run: Run) -> None:
    """The conservation law, and nothing left over at the end."""
    assert run.total == run.created + run.updated + run.unchanged + run.skipped + run.failed + (run.remaining or 0)
    if run.state == "finished":
        assert run.remaining == 0


NewEngine = Callable[[], Awaitable[ImportEngine]]


@pytest.fixture
async def engine(runtime: Runtime, request: pytest.FixtureRequest) -> ImportEngine:
    """The import engine on an account that nobody else uses."""
    async with runtime.database.transaction() as session:
        return ImportEngine(runtime, AccountId(await accounts.account_named(session, request.node.nodeid)))
