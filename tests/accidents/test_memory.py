"""A worker whose address space is used up: it gives back what it works on and ends, and no import fails for it."""

import asyncio
import json
import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.access import accounts
from tests.engine.conftest import ImportEngine, law
from tests.support.live import started

ROWS = 20_000
FILE = "_email,_name\n" + "".join(f"contact{number}@example.org,{'Name ' * 20}\n" for number in range(ROWS))


def start_worker(runtime: Runtime, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as written:
        return started(runtime.settings, ("workers",), written.fileno())


async def until(reached: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        await asyncio.sleep(0.02)


def events(log: Path) -> list[str]:
    return [json.loads(line)["event"] for line in log.read_text().splitlines() if line.startswith("{")]


async def test_a_worker_without_memory_ends_and_its_imports_go_on_elsewhere(alone: Runtime, tmp_path: Path) -> None:
    async with alone.database.transaction() as session:
        engine = ImportEngine(alone, AccountId(await accounts.account_named(session, "memory")))
    poor, log = start_worker(alone, tmp_path / "poor.log"), tmp_path / "poor.log"
    try:
        await until(lambda: "process_started" in events(log), log)
        in_use = psutil.Process(poor.pid).memory_info().vms
        resource.prlimit(poor.pid, resource.RLIMIT_AS, (in_use + 1_000_000, in_use + 1_000_000))
        runs = [await engine.submit(FILE) for _ in range(3)]
        await until(lambda: poor.poll() is not None, log)
    finally:
        poor.kill()
    assert poor.returncode == 1
    assert "memory_exhausted" in events(log)
    given_back = [await engine.get(run) for run in runs]
    assert all(not run.done and run.crashes <= 1 for run in given_back)
    assert sum(run.crashes for run in given_back) <= alone.settings.slices_at_once
    assert await engine.sql("SELECT id FROM runs WHERE lease_until IS NOT NULL") == []

    rich, log = start_worker(alone, tmp_path / "rich.log"), tmp_path / "rich.log"
    try:
        for run in runs:
            ended = await ended_run(engine, run.id, log)
            assert (ended["state"], ended["failed"], ended["crashes"]) == ("finished", 0, 0)
    finally:
        rich.terminate()
        assert rich.wait(30) == 0
    for run in runs:
        law(await engine.get(run))


async def ended_run(engine: ImportEngine, run_id: str, log: Path) -> dict[str, object]:
    deadline = time.monotonic() + 30
    while True:
        [row] = await engine.sql("SELECT * FROM runs WHERE id = :id", id=run_id)
        if row["finished_at"] is not None:
            return dict(row)
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        await asyncio.sleep(0.05)
