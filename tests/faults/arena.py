"""The place where things die: a PostgreSQL and a Valkey that may be killed, worker processes, and who watches them."""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from redis.asyncio import Redis

from app.connections.pull import Pull
from app.embedded import Servers
from app.imports.engine import work
from app.imports.examine import Upload
from app.imports.intake import Submission, submit
from app.imports.plan import OnError, Options, ReadOptions
from app.runs.holding.brakes import Brakes
from app.runs.lifecycle import work_on
from app.runs.model import AccountId, Run
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from app.storage.access import accounts
from app.transports.transport import Remote
from tests.faults.nursery import Nursery, ending
from tests.faults.truth import Truth
from tests.support.servers import TEMPLATE

LEASE, SWEEP, BATCH = 1.5, 0.3, 10
PATIENCE = 40.0
TICK = 0.02

SETTINGS = {
    "SLUICE_SECRET_KEY": "for the tests of faults only, 32 characters",
    "SLUICE_LEASE_SECONDS": str(LEASE),
    "SLUICE_SWEEP_SECONDS": str(SWEEP),
    "SLUICE_BATCH_ROWS": str(BATCH),
    "SLUICE_SLICE_SECONDS": "0.004",  # some batches: alone, an import goes on for five times as long
    "SLUICE_DATABASE_POOL": "5",
    "SLUICE_LOG_LEVEL": "warning",
    "SLUICE_ALLOW_NETWORKS": "127.0.0.0/8",
}


class Part:
    """One process of the service, and its log."""

    def __init__(self, nursery: Nursery, part: str, folder: Path, environment: dict[str, str]) -> None:
        self.log = folder / f"{part}-{secrets.token_hex(3)}.log"
        self.trace_file = self.log.with_suffix(".trace")
        self.trace_file.touch()
        self.pid = nursery.start(part, environment | {"FAULTS_TRACE": str(self.trace_file)}, self.log)

    @property
    def exit_code(self) -> int | None:
        return ending(self.log)

    async def ended(self, patience: float = PATIENCE) -> int:
        await until(lambda: self.exit_code is not None, f"{self.log.stem} does not end", patience)
        return self.exit_code or 0

    async def stopped(self) -> int:
        os.kill(self.pid, signal.SIGTERM)
        return await self.ended()

    def end(self) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)


class Worker(Part):
    """A worker with a list of faults, and the trace of its steps."""

    def trace(self) -> list[str]:
        return self.trace_file.read_text().splitlines()

    def faults_met(self) -> int:
        return sum(line.startswith("FAULT") for line in self.trace())

    async def is_up(self) -> None:
        await until(
            lambda: any(line.startswith("ProcessStarted") for line in self.trace()), "the worker does not start"
        )

    async def meets_fault(self, number: int = 1) -> None:
        await until(lambda: self.faults_met() >= number or self.exit_code is not None, f"{self.log.stem}: no fault met")
        assert self.faults_met() >= number, f"{self.log.stem} ended with {self.exit_code} before its fault"

    async def meets_fault_or_finishes(self, arena: "Arena", run: Run) -> bool:
        """Whether the worker met its fault before the run was at its end."""

        async def either() -> bool:
            return self.faults_met() > 0 or (await arena.run(run))["state"] == "finished"

        await until(either, f"{self.log.stem}: neither fault nor end")
        await asyncio.sleep(0.1)  # the end of a run is seen before its worker comes to the steps behind it
        return self.faults_met() > 0

    async def is_frozen(self) -> None:
        await self.meets_fault()
        await until(lambda: psutil.Process(self.pid).status() == "stopped", "the worker does not freeze")

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def go_on(self) -> None:
        self.trace_file.with_suffix(".go").touch()

    async def ends_or_ends(self, arena: "Arena", run: Run) -> None:
        """Until this worker has died, or has brought the run to its end."""

        async def either() -> bool:
            return self.exit_code is not None or (await arena.run(run))["state"] == "finished"

        await until(either, f"{self.log.stem} neither dies nor finishes")
        await asyncio.sleep(0.1)  # the end of a run is seen before its worker comes to the steps behind it


class Arena:
    """A database of its own on servers that may be killed, and everything a test does there."""

    def __init__(self, servers: Servers, nursery: Nursery, folder: Path) -> None:
        self.servers = servers
        self.redis_url = servers.redis_url
        self.nursery = nursery
        self.folder = folder
        self.database = f"faults_{secrets.token_hex(4)}"
        self.parts: list[Part] = []
        self.stack = AsyncExitStack()
        self.connection: asyncpg.Connection[Any] | None = None
        self.runtime: Runtime
        self.account_id: AccountId

    @property
    def url(self) -> str:
        return self.servers.database_url.rpartition("/")[0] + "/" + self.database

    def environment(self, **settings: object) -> dict[str, str]:
        ours = {f"SLUICE_{name.upper()}": str(value) for name, value in settings.items()}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
        addresses = {
            "SLUICE_DATABASE_URL": self.url,
            "SLUICE_REDIS_URL": self.redis_url,
            "SLUICE_DATA": str(self.folder),
            "FAULTS_BACKOFF": "0.2",
        }
        return inherited | SETTINGS | addresses | ours

    async def open(self) -> None:
        await self.administer(f"CREATE DATABASE {self.database} TEMPLATE {TEMPLATE}")
        async with Redis.from_url(self.servers.redis_url) as redis:
            await redis.flushall()
        own = {name.removeprefix("SLUICE_").lower(): value for name, value in self.environment().items()}
        settings = Settings(**{name: own[name] for name in Settings.model_fields if name in own})
        self.runtime = await self.stack.enter_async_context(open_runtime(settings))
        self.account_id = await self.account("faults")

    async def account(self, name: str) -> AccountId:
        async with self.runtime.database.transaction() as session:
            return AccountId(await accounts.account_named(session, name))

    async def renew(self) -> None:
        """A new database and nobody at work, for a sweep within one test."""
        await self.close()
        self.parts, self.stack, self.connection = [], AsyncExitStack(), None
        self.database = f"faults_{secrets.token_hex(4)}"
        await self.open()

    async def administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self.servers.database_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def close(self) -> None:
        for part in self.parts:
            part.end()
        if self.connection is not None:
            self.connection.terminate()
        await self.stack.aclose()

    def worker(
        self, faults: str = "", *, poison: str = "", idle_ms: int = 2000, pace: float = 0, **settings: object
    ) -> Worker:
        """Starts one. `faults`: see tests/faults/worker.py; `poison`: run and row from which on it kills; `idle_ms`:
        how long PostgreSQL lets it sit still in a transaction; `pace`: seconds that every batch takes longer."""
        asked = {"FAULTS": faults, "FAULTS_POISON": poison, "FAULTS_IDLE_MS": str(idle_ms), "FAULTS_PACE": str(pace)}
        worker = Worker(self.nursery, "worker", self.folder, self.environment(**settings) | asked)
        self.parts.append(worker)
        return worker

    def api(self, port: int) -> Part:
        api = Part(self.nursery, "api", self.folder, self.environment(queue_limit=100_000) | {"FAULTS_PORT": str(port)})
        self.parts.append(api)
        return api

    def ftp(self, home: Path, port: int, dies: str = "") -> Part:
        """An FTP server of the folder. `dies`: see tests/faults/ftp_server.py."""
        asked = {"FAULTS_HOME": str(home), "FAULTS_PORT": str(port), "FAULTS_DIE": dies}
        server = Part(self.nursery, "ftp", self.folder, self.environment() | asked)
        self.parts.append(server)
        return server

    async def submit(
        self,
        data: str,
        account: AccountId | None = None,
        type: str = "contacts",
        *,
        replace: bool = False,
        deletes: bool = False,
        brakes: Brakes | None = None,
        dry_run: bool = False,
        on_error: OnError = "continue",
    ) -> Run:
        writer = self.runtime.blobs.create()
        writer.write(data.encode())
        upload = Upload(writer, "file.csv", len(data), "0" * 64, "utf-8")
        read = ReadOptions("csv", ",")
        options = Options(replace=replace, deletes=deletes, brakes=brakes, dry_run=dry_run, on_error=on_error)
        wanted = Submission(account or self.account_id, "api", type, upload, read, options=options)
        return await submit(self.runtime, wanted)

    async def pull(self, remote: Remote, path: str) -> Run:
        """An import whose file a worker has to fetch first."""
        wanted = Submission(self.account_id, "api", "contacts", Pull(remote, path), ReadOptions("csv", ","))
        return await submit(self.runtime, wanted)

    async def ask(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Straight to the database, by none of the product's ways."""
        if self.connection is None or self.connection.is_closed():
            self.connection = await self.connect()
        return [dict(row) for row in await self.connection.fetch(statement, *values)]

    async def connect(self) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(self.url, timeout=5)

    async def run(self, run: Run) -> dict[str, Any]:
        return (await self.ask("SELECT * FROM runs WHERE id = $1", run.id))[0]

    async def ended(self, run: Run, patience: float = PATIENCE) -> dict[str, Any]:
        async def has_ended() -> bool:
            return (await self.run(run))["state"] in ("finished", "failed")

        await until(has_ended, "the run does not end", patience)
        return await self.run(run)

    def told(self) -> str:
        """The last words of every part, for a test that fails."""
        logs = (part.log for part in self.parts)
        return "\n".join(log.read_text()[-2000:] for log in logs if log.exists())

    async def prepare(self, truth: Truth, account: AccountId | None = None) -> None:
        """Imports in this process what was there before."""
        before = await self.submit(truth.before, account)
        while (await self.run(before))["state"] != "finished":
            await work_on(self.runtime, before.id, work)

    async def stored(self, truth: Truth, account: AccountId | None = None) -> Run:
        """Imports what was there before, and submits the file."""
        await self.prepare(truth, account)
        return await self.submit(truth.file, account)

    async def replacement(self, truth: Truth, brakes: Brakes | None = None) -> Run:
        """The same, and what the file does not name is to be removed."""
        await self.prepare(truth)
        return await self.submit(truth.file, replace=True, brakes=brakes)

    async def unowned_files(self) -> list[Path]:
        """The stored files that no run has."""
        owned = {each["blob"] for each in await self.ask("SELECT blob FROM runs")}
        return [path for path in (self.folder / "blobs" / "stored").glob("*/*") if path.name not in owned]

    async def flush_valkey(self) -> None:
        async with Redis.from_url(self.servers.redis_url) as redis:
            await redis.flushall()


class StillWaiting(AssertionError):
    """What a test waited for did not come."""


Condition = Callable[[], bool | Awaitable[bool]]


async def until(condition: Condition, complaint: str, patience: float = PATIENCE) -> None:
    """Waits until the condition holds; a server that is down at the moment means that it does not yet."""
    deadline = time.monotonic() + patience
    while not await holds(condition):
        if time.monotonic() > deadline:
            raise StillWaiting(complaint)
        await asyncio.sleep(TICK)


async def holds(condition: Condition) -> bool:
    try:
        held = condition()
        return held if isinstance(held, bool) else await held
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
