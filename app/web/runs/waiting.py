"""Waits for a change of a run for a request, which holds nothing of the process meanwhile but its connection."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from fastapi import Request

from app.runs.model import AccountId
from app.runtime import Runtime
from app.under_way import counting
from app.web.server.connections import build_connection_limits
from app.web.server.protocol import STOPPING

MOST_OF_ACCOUNT: Final = 200  # requests of an account that wait in one process


@contextmanager
def find_place(runtime: Runtime, account_id: AccountId) -> Iterator[bool]:
    """Whether one more request of the account may wait, for as long as the block lasts. Half of the connections of the
    process are never waited on, so that others find one."""
    waits = runtime.under_way.waits
    most = build_connection_limits(runtime.settings.database_pool).total // 2
    if waits[account_id] >= MOST_OF_ACCOUNT or waits.total() >= most:
        yield False
        return
    with counting(waits, account_id):
        yield True


def is_stopping(request: Request) -> asyncio.Event:
    """Set when the server is told to stop: then nobody waits any longer."""
    stopping: asyncio.Event = request.scope.setdefault(STOPPING, asyncio.Event())
    return stopping


async def wait_for_change(
    request: Request, runtime: Runtime, run_id: str, seen: str, *, seconds: float, until_gone: bool = False
) -> bool:
    """Whether the run has another version than the one that was `seen`, after `seconds` at most, or when the server is
    to stop. With `until_gone` the end of the client's connection ends it, too."""
    change = asyncio.create_task(runtime.watcher.wait_for_change(run_id, seen))
    others = [is_stopping(request).wait(), *([wait_until_gone(request)] if until_gone else [])]
    tasks: list[asyncio.Task[Any]] = [change, *map(asyncio.ensure_future, others)]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if change.done():
            change.result()
        return change.done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def wait_until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
