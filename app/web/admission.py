"""Lets an import in: a place in the queue before a byte is read, and a note of every refusal."""

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
    """For the reading and the acceptance of a file. Raises Refused("queue_full") first."""
    try:
        async with runtime.database.read() as session:
            await ensure_room(session, runtime, caller.account_id, Kind.IMPORT)
        yield
    except Refused as refused:
        runtime.observe(RunRefused(caller.account_id, refused.code))
        raise
