"""Lets any number of callers wait for a change of a run, with one look at the database for all of them."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from app.storage.database import Database, DatabaseUnavailable
from app.storage.watching.versions import read_versions

LOOK_SECONDS: Final = 0.25  # from one look to the next


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    """Somebody who has seen a version of a run."""

    seen: str
    changed: asyncio.Future[None]


class Watcher:
    """Looks at all runs together that somebody waits for, and not at all while nobody waits. It asks the database, and
    is not told by it: so a restart of any server loses nothing, and nothing has to be sent with each batch."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, set[Waiter]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def wait_for_change(self, run_id: str, seen: str) -> None:
        """Returns when the run has another version than this one, or is gone. Waits for a database that is away."""
        waiter = Waiter(seen, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(run_id, set()).add(waiter)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_again_and_again())
        try:
            await waiter.changed
        finally:
            self._forget(run_id, waiter)

    async def close(self) -> None:
        """Looks no more. Those who wait have to be told otherwise."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    async def _look_again_and_again(self) -> None:
        while self._waiting:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except DatabaseUnavailable:
                continue
            except Exception as error:  # noqa: BLE001  those who wait report it, as they would their own
                self._tell_all(error)

    async def _look(self) -> None:
        # Who comes while the versions are read may have seen newer ones, or wait for a run that was not read.
        asked = {run_id: list(waiters) for run_id, waiters in self._waiting.items()}
        async with self._database.read() as session:
            found = await read_versions(session, asked)
        now = {run_id: version.text for run_id, version in found.items()}
        for run_id, waiters in asked.items():
            for waiter in waiters:
                if now.get(run_id) != waiter.seen and not waiter.changed.done():
                    waiter.changed.set_result(None)

    def _tell_all(self, error: Exception) -> None:
        for waiter in [each for waiters in self._waiting.values() for each in waiters]:
            if not waiter.changed.done():
                waiter.changed.set_exception(error)

    def _forget(self, run_id: str, waiter: Waiter) -> None:
        waiters = self._waiting[run_id]
        waiters.remove(waiter)
        if not waiters:
            del self._waiting[run_id]
