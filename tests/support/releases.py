"""The code of earlier releases, out of this clone's history, and databases on their schema."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from app.embedded import Servers
from tests.support.parts import ROOT
from tests.support.servers import PEPPER, empty_database

MAKE_KEY = """
import asyncio, sys
from app.auth.keys import SCOPES, create_key
from app.storage.database import Database

async def make(url, pepper):
    database = Database(url, pool_size=1)
    async with database.transaction() as session:
        print(await create_key(session, account="shop", scopes=list(SCOPES), label="live", pepper=pepper))
    await database.close()

asyncio.run(make(*sys.argv[1:]))
"""
MIGRATE = "import sys; from app.storage.migrate import upgrade; upgrade(sys.argv[1])"


def unpack_release(commit: str, folder: Path) -> Path:
    """The folder with the code of a release, which runs with the libraries of today."""
    try:
        archive = subprocess.run(
            ["git", "archive", commit, "app", "workers", "migrations"], cwd=ROOT, capture_output=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"The release {commit} is not in this clone, because it is shallow or no clone")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def migrated_database(servers: Servers, code: Path) -> str:
    """The address of a new database on the schema of a release. Blocking."""
    url = empty_database(servers, "upgraded")
    run_code(code, MIGRATE, url)
    return url


def make_old_key(url: str, code: Path) -> str:
    """A key with every scope, made by a release: the new one writes columns that are not there yet."""
    return run_code(code, MAKE_KEY, url, PEPPER).strip()


def run_code(code: Path, program: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", program, *arguments],
        env={"PYTHONPATH": str(code)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
