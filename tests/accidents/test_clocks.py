"""Machines whose clocks are wrong: what crosses processes is dated by the clock of the database or of the store."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.embedded import Servers
from app.runs.deletion import ORPHAN_SECONDS
from app.settings import Settings
from app.storage.blobs import FileBlobs
from tests.storage.conftest import files, stored
from tests.support.clocks import ahead_by, build_wrong_clock
from tests.support.http import PARTS
from tests.support.live import new_key
from tests.support.parts import Parts, running_parts, wait_until
from tests.support.servers import new_database, redis_number, settings_for

HOURS, DAYS = 3_600, 86_400


@pytest.fixture(scope="module")
def wrong_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wrong_clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def settings(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(tmp_path_factory.mktemp("clocks"), new_database(servers, "clocks"), redis_number(servers, 8))


@pytest.fixture
def parts(settings: Settings, tmp_path: Path) -> Iterator[Parts]:
    with running_parts(settings, tmp_path) as running:
        yield running


def test_a_worker_whose_clock_is_days_ahead_deletes_nothing_young(
    parts: Parts, settings: Settings, wrong_clock: Path
) -> None:
    store = FileBlobs(settings.data / "blobs")
    under_way, committed, orphan = store.create(), stored(store, b"_email\n"), stored(store, b"nobody's\n")
    under_way.write(b"_email\n")
    long_ago = time.time() - ORPHAN_SECONDS - 60
    os.utime(store.path(orphan), (long_ago, long_ago))

    parts.start("worker", "workers", **ahead_by(wrong_clock, 3 * DAYS))
    wait_until(lambda: orphan not in files(store.stored), "the worker does not sweep")
    assert committed in files(store.stored)
    assert under_way.commit() in files(store.stored)


@pytest.mark.parametrize(
    ("api", "worker"),
    [
        pytest.param(2 * HOURS, 0, marks=pytest.mark.slow),
        pytest.param(0, -2 * HOURS, marks=pytest.mark.slow),
        (-2 * HOURS, 2 * HOURS),
    ],
)
def test_an_import_waits_for_no_clock(
    parts: Parts, settings: Settings, wrong_clock: Path, api: int, worker: int
) -> None:
    key = asyncio.run(new_key(settings, f"clocks {api} {worker}"))
    headers = {"Authorization": f"apiKey {key}"}
    url = parts.start_api("api", **ahead_by(wrong_clock, api))
    parts.start(
        "worker", "workers", SLUICE_BATCH_ROWS="100", SLUICE_SLICE_SECONDS="0.01", **ahead_by(wrong_clock, worker)
    )
    rows = "".join(f"{number}@example.org\n" for number in range(1_000))
    answer = httpx.post(
        f"{url}/imports/",
        headers=headers,
        data=PARTS,
        files={"file": ("a.csv", f"_email\n{rows}")},
    )
    assert answer.status_code == 201, answer.text
    run = f"{url}/imports/{answer.json()['id']}"
    wait_until(lambda: httpx.get(run, headers=headers).json()["status"] == "finished", "the import waits")
