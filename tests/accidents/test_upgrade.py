"""The last release's API and worker import while the database is migrated, and go on beside those of this one."""

import asyncio
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.embedded import Servers
from app.settings import Settings
from app.storage.database import PLAN_VERSION
from app.storage.migrate import upgrade
from tests.support.http import PARTS
from tests.support.parts import running_parts, wait_until
from tests.support.releases import make_old_key, migrated_database, unpack_release
from tests.support.servers import execute, redis_number, settings_for

LAST_RELEASE = "3244148e8b42"  # the last commit with the schema of release 0.1
ROWS = 200
BLANK = 3  # lines of nothing but delimiters: release 0.1 counts them as rows, this one does not
SLOWLY = {
    "SLUICE_BATCH_ROWS": "40",
    "SLUICE_SLICE_SECONDS": "0.02",
    "SLUICE_QUEUE_LIMIT": "1000",
    "SLUICE_SWEEP_SECONDS": "0.5",
}


@pytest.fixture(scope="module")
def last_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_release(LAST_RELEASE, tmp_path_factory.mktemp("release"))


@pytest.fixture
def settings(servers: Servers, last_release: Path, tmp_path: Path) -> Iterator[Settings]:
    """A database on the schema of the last release."""
    url = migrated_database(servers, last_release)
    yield settings_for(tmp_path, url, redis_number(servers, 10))
    asyncio.run(execute(servers.database_url, f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)'))


class Load:
    """Imports of one account, each of its own records."""

    def __init__(self, key: str) -> None:
        self.headers = {"Authorization": f"apiKey {key}"}
        self.accepted: list[str] = []

    def post(self, url: str) -> None:
        number = len(self.accepted)
        rows = [f"of-{number}-{row}@example.org,{row}\n" for row in range(ROWS)] + [",\n"] * BLANK
        file = {"file": ("a.csv", "_email,_points\n" + "".join(rows))}
        answer = httpx.post(f"{url}/imports/", headers=self.headers, data=PARTS, files=file, timeout=30)
        assert answer.status_code == 201, answer.text
        self.accepted.append(answer.json()["id"])


@pytest.mark.slow
@pytest.mark.parametrize("imports", [3, 100])
def test_imports_go_on_while_the_last_release_is_upgraded(
    settings: Settings, last_release: Path, tmp_path: Path, imports: int
) -> None:
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    load = Load(make_old_key(url, last_release))
    with running_parts(settings, tmp_path) as parts:
        parts.start("old-worker", "workers", code=last_release, **SLOWLY)
        old = parts.start_api("old-api", code=last_release, **SLOWLY)
        for _ in range(imports):
            load.post(old)
        upgrade(url)
        load.post(old)
        new = parts.start_api("new-api", **SLOWLY)
        for api in islice(cycle((new, old)), imports):  # only the old worker is there
            load.post(api)
        wait_until(lambda: asyncio.run(open_runs(url, plan_version=1)) == 0, "the old worker does not go on", 120)
        assert asyncio.run(open_runs(url, plan_version=PLAN_VERSION)) == (imports + 1) // 2
        wait_until(lambda: says_only_old_workers(new), "the API does not say that it needs a newer worker")
        parts.start("new-worker", "workers", **SLOWLY)
        for api in islice(cycle((old, new)), imports):
            load.post(api)
        wait_until(lambda: asyncio.run(open_runs(url)) == 0, "the imports do not end", 120)
        assert [process.poll() for process in parts.processes] == [None] * len(parts.processes)
        check_truth(asyncio.run(read_runs(url)), load.accepted)
    assert asyncio.run(read_value(url, "SELECT count(*) FROM records")) == ROWS * len(load.accepted)


def says_only_old_workers(api: str) -> bool:
    worker = httpx.get(f"{api}/readyz", timeout=10).json()["parts"]["worker"]
    return not worker["ok"] and worker["why"].startswith("All workers are of an older release")


def check_truth(runs: list[dict[str, Any]], accepted: list[str]) -> None:
    """Every import has ended well with its counts, whoever accepted it and whoever worked on it."""
    assert {run["id"] for run in runs} == set(accepted)
    assert {run["plan_version"] for run in runs} == {1, PLAN_VERSION}
    for run in runs:
        blank = BLANK if run["plan_version"] == 1 else 0
        assert (run["state"], run["crashes"]) == ("finished", 0), run
        assert (run["total"], run["created"], run["failed"]) == (ROWS + blank, ROWS, blank), run
        assert run["written"] == run["total"], run


async def read_runs(url: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(url)
    ledger = "SELECT sum(created + updated + unchanged + skipped + failed) FROM batches WHERE run_id = runs.id"
    rows = await connection.fetch(f"SELECT *, ({ledger}) AS written FROM runs")
    await connection.close()
    return [dict(row) for row in rows]


async def open_runs(url: str, plan_version: int | None = None) -> int:
    which = f"AND plan_version = {plan_version}" if plan_version else ""
    return await read_value(url, f"SELECT count(*) FROM runs WHERE finished_at IS NULL {which}")


async def read_value(url: str, statement: str) -> int:
    connection = await asyncpg.connect(url)
    value: int = await connection.fetchval(statement)
    await connection.close()
    return value
