"""Checks the account's room before an upload is read, and logs every refused import."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from app.auth.caller import Caller
from app.errors import Refused
from app.observe.events import RunRefused
from app.runs.acceptance import RETRY_SECONDS, ensure_room
from app.runs.kinds import Kind
from app.runs.model import AccountId
from app.runtime import Runtime
from app.under_way import counting

# Where a complaint may point that the log repeats: our own names. Others may be headings, and those may be cells.
# fmt: off
OWN_PATHS: Final = frozenset((
    "body", "columns", "connectionId", "couponSetId", "delimiter", "encoding", "file", "format", "hasHeader",
    "mapping", "metadata", "name", "overrideExisting", "path", "source", "source.path", "source.port",
    "source.privateKey", "source.server", "source.tls", "source.transport", "source.url", "transport", "type",
    "unknownColumns", "updateOnlyEmptyFields", "url",
))
# fmt: on


@asynccontextmanager
async def admit_import(runtime: Runtime, caller: Caller) -> AsyncIterator[None]:
    """Surrounds the reading and accepting of a file. Raises Refused("queue_full") before it begins."""
    try:
        async with runtime.database.read() as session:
            await ensure_room(session, runtime, caller.account_id, Kind.IMPORT)
        with count_upload(runtime, caller.account_id):
            yield
    except Refused as refused:
        runtime.observe(RunRefused(caller.account_id, refused.code, describe_safely(refused)))
        raise


def describe_safely(refused: Refused) -> str:
    """What was wrong, for the log: in a file without a header the names of columns are cells."""
    paths = dict.fromkeys(each.path for each in refused.complaints if each.path in OWN_PATHS)
    return f"{refused.title}: {', '.join(paths)}" if paths else refused.title


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
