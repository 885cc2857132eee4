"""Workers and APIs are restarted one by one on a newer release while callers go on, and the schema goes back by one."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import sample
from typing import Any, Final

import asyncpg
import httpx
import pytest
from alembic import command

from app.embedded import Servers
from app.storage.migrate import configuration
from tests.support.commands import run_command
from tests.support.http import PARTS
from tests.support.parts import Parts, running_parts, wait_until
from tests.support.releases import make_old_key, migrated_database, unpack_release
from tests.support.servers import redis_number, settings_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BEFORE: Final = "000714ccdfa7"  # the last commit with the schema 0028
ROWS: Final = 200
CALLERS: Final = 2
SLOWLY: Final = {"SLUICE_BATCH_ROWS": "50", "SLUICE_SLICE_SECONDS": "0.05", "SLUICE_SWEEP_SECONDS": "0.5"}
OUTCOMES: Final = ("created", "updated", "unchanged", "skipped", "errors", "remaining")


class Callers:
    """Import one file after the other and poll, at one of the APIs that are there, as behind a load balancer: nobody
    is sent to one that does not listen. What is answered otherwise than it should be is noted."""

    def __init__(self, key: str, apis: list[str]) -> None:
        self.apis = apis
        self.finished: dict[str, dict[str, Any]] = {}
        self.wrong: list[str] = []
        self.put_off = 0
        self._headers = {"Authorization": f"apiKey {key}"}
        self._stopped = threading.Event()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        with ThreadPoolExecutor(CALLERS) as pool:
            done = [pool.submit(self.go_on, number) for number in range(CALLERS)]
            for each in done:
                each.add_done_callback(self.note_end)
            try:
                yield
            finally:
                self._stopped.set()
        assert not self.wrong

    def note_end(self, caller: Future[None]) -> None:
        if error := caller.exception():
            self.wrong.append(repr(error))

    def go_on(self, caller: int) -> None:
        for number in count():
            if self._stopped.is_set():
                return
            rows = "".join(f"of-{caller}-{number}-{row}@example.org,{row}\n" for row in range(ROWS))
            body = self.ask("POST", 201, files={"file": ("a.csv", f"_email,_points\n{rows}")}, data=PARTS)
            while not body["done"]:
                assert sum(body[each] for each in OUTCOMES) == body["total"], body
                time.sleep(0.02)
                body = self.ask("GET", 200, f"/{body['id']}")
            self.finished[body["id"]] = body

    def ask(self, method: str, expected: int, path: str = "", **given: Any) -> dict[str, Any]:
        """The answer, which may be put off by 503 with Retry-After."""
        while True:
            for url in sample(self.apis, len(self.apis)):
                try:
                    answer = httpx.request(method, f"{url}/imports{path}", headers=self._headers, timeout=30, **given)
                except httpx.ConnectError:
                    continue
                if answer.status_code == expected:
                    body: dict[str, Any] = answer.json()
                    return body
                if answer.status_code != 503:
                    raise AssertionError(f"{method} {answer.status_code} {answer.text}")
                self.put_off += 1
                time.sleep(min(float(answer.headers["Retry-After"]), 2))
            time.sleep(0.01)


def test_nothing_is_lost_or_refused_while_parts_are_restarted_one_by_one(servers: Servers, tmp_path: Path) -> None:
    code = unpack_release(BEFORE, tmp_path / "release")
    url = migrated_database(servers, code)
    key = make_old_key(url, code)
    with running_parts(settings_for(tmp_path, url, redis_number(servers, 10)), tmp_path) as parts:
        workers = [parts.start(f"old-worker-{each}", "workers", code=code, **SLOWLY) for each in range(2)]
        old = {parts.start_api(f"old-api-{each}", code, **SLOWLY): parts.processes[-1] for each in range(2)}
        callers = Callers(key, list(old))
        with callers.going_on():
            go_on(callers)
            migrated = run_command("migrate", SLUICE_DATABASE_URL=url)
            assert migrated.returncode == 0, migrated.stderr
            go_on(callers)
            for number, worker in enumerate(workers):
                end(worker)
                parts.start(f"new-worker-{number}", "workers", **SLOWLY)
                go_on(callers)
            for number, (api, process) in enumerate(old.items()):
                new = parts.start_api(f"new-api-{number}", **SLOWLY)
                callers.apis = [*(each for each in callers.apis if each != api), new]
                end(process)
                go_on(callers)
        print(f"{len(callers.finished)} imports, {callers.put_off} put off by 503")
        check_truth(asyncio.run(read_runs(url)), callers)
        go_back(parts, url, key, code)


def go_on(callers: Callers) -> None:
    """Waits until some imports have ended that were open, or were accepted, now."""
    seen = len(callers.finished)
    wait_until(lambda: bool(callers.wrong) or len(callers.finished) >= seen + CALLERS, "no import ends", 90)
    assert not callers.wrong, callers.wrong


def end(process: Any) -> None:
    process.terminate()
    assert process.wait(30) == 0


def check_truth(runs: list[dict[str, Any]], callers: Callers) -> None:
    assert {run["id"] for run in runs} == callers.finished.keys()
    for run in runs:
        assert (run["state"], run["total"], run["created"], run["crashes"]) == ("finished", ROWS, ROWS, 0), run
        assert run["written"] == run["records"] == ROWS, run


def go_back(parts: Parts, url: str, key: str, code: Path) -> None:
    """The old release works on the new schema, and the schema goes back by one with all that is there."""
    for process in parts.processes:
        process.terminate()
        process.wait(30)
    parts.start("back-worker", "workers", code=code, **SLOWLY)
    callers = Callers(key, [parts.start_api("back-api", code, **SLOWLY)])
    with callers.going_on():
        go_on(callers)
    before = asyncio.run(read_runs(url))
    command.downgrade(configuration(url), "-1")
    assert asyncio.run(read_runs(url)) == before
    command.upgrade(configuration(url), "head")
    assert asyncio.run(read_runs(url)) == before


async def read_runs(url: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("""
        SELECT id, state, total, created, crashes,
            (SELECT sum(created + updated + unchanged + skipped + failed) FROM batches WHERE run_id = r.id) AS written,
            (SELECT count(*) FROM records WHERE run_id = r.id) AS records
        FROM runs r ORDER BY id""")
    await connection.close()
    return [dict(row) for row in rows]
