"""Checks the queue limit before an upload is read, and logs every refused import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.auth.caller import Caller
from app.errors import Refused
from app.observe.events import RunRefused
from app.runs.acceptance import ensure_room
from app.runs.kinds import Kind
from app.runtime import Runtime


@asynccontextmanager
async def admit_import(runtime: Runtime, caller: Caller) -> AsyncIterator[None]:
    """Surrounds the reading and accepting of a file. Raises Refused("queue_full") before it begins."""
    try:
        async with runtime.database.read() as session:
            await ensure_room(session, runtime, caller.account_id, Kind.IMPORT)
        yield
    except Refused as refused:
        runtime.observe(RunRefused(caller.account_id, refused.code))
        raise
