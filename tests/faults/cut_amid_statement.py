"""A session on a machine of its own loses its network in the middle of a statement: after how many seconds PostgreSQL
gives back the lock that it holds. `python -m tests.faults.cut_amid_statement FOLDER` in a network of its own."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import text

from app.storage.database import Database
from app.storage.staging.table import STAGING
from tests.faults.machines import ROOT, fetch, machine, reachable_servers, run, served, until

LOCK = 7
FREE = f"SELECT pg_try_advisory_xact_lock({LOCK}) AS free"


async def hold(url: str) -> None:
    """Holds a lock amid a COPY whose rows never come, and says so."""
    async with Database(url, pool_size=1).transaction() as session:
        await session.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        await session.execute(text(STAGING))
        raw = await session.get_raw_connection()
        await raw.driver_connection.copy_to_table("staging", source=wait_for_ever())  # type: ignore[union-attr]


async def wait_for_ever() -> AsyncIterator[bytes]:
    print("held", flush=True)
    await asyncio.Event().wait()
    yield b""


def measure(folder: Path) -> float:
    run("ip", "link", "set", "lo", "up")
    with ExitStack() as stack:
        cut = stack.enter_context(machine(1))
        settings = served(stack.enter_context(reachable_servers()), folder)
        assert settings.database_url is not None
        url = settings.database_url.get_secret_value()
        command = [
            *cut.inside,
            sys.executable,
            "-m",
            "tests.faults.cut_amid_statement",
            "hold",
            cut.seen_from_there(url),
        ]
        cut.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert cut.process.stdout is not None
        assert cut.process.stdout.readline() == b"held\n"
        assert not asyncio.run(fetch(url, FREE))[0]["free"]
        cut.cut_off()
        began = time.monotonic()
        until(lambda: bool(asyncio.run(fetch(url, FREE))[0]["free"]), "the lock is never given back")
        return time.monotonic() - began


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        asyncio.run(hold(sys.argv[2]))
    else:
        print(measure(Path(sys.argv[1])))
