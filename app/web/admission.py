"""Checks the account's room before an upload is read, and logs every refused import."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from app.auth.caller import Caller
from app.errors import Refused
from app.observe.events import RunRefused
from app.runs.acceptance import RETRY_SECONDS, ensure_room
from app.runs.kinds import Kind
from app.runs.model import AccountId
from app.runtime import Runtime
from app.under_way import counting


@asynccontextmanager
async def admit_import(runtime: Runtime, caller: Caller) -> AsyncIterator[None]:
    """Surrounds the reading and accepting of a file. Raises Refused("queue_full") before it begins."""
    try:
        async with runtime.database.read() as session:
            await ensure_room(session, runtime, caller.account_id, Kind.IMPORT)
        with count_upload(runtime, caller.account_id):
            yield
    except Refused as refused:
        runtime.observe(RunRefused(caller.account_id, refused.code))
        raise


@contextmanager
def count_upload(runtime: Runtime, account_id: AccountId) -> Iterator[None]:
    """An account may send as many files at a time to this process as it may have imports waiting: a file that is not
    complete is in no queue yet, and could be held open for as long as the client likes.

    Raises Refused("queue_full").
    """
    limit = runtime.settings.queue_limit
    if runtime.under_way.uploads[account_id] >= limit:
        reason = f"{limit} uploads of this account are not complete. Wait until one of them has ended"
        raise Refused("queue_full", reason, retry_after=RETRY_SECONDS)
    with counting(runtime.under_way.uploads, account_id):
        yield
