"""The import engine: works on a claimed import for one slice: fetches its file, writes its rows or applies its overlay.

A slice lasts about a second. It writes batch after batch, each in one transaction with its counts, its problems and
the cursor, and then gives way to other imports, so a worker can stop or die at any step without a row being lost or
counted twice. Claiming, giving back and every ending are in app.runs.lifecycle; how one batch follows the other is in
app.imports.slice.
"""

import asyncio
from contextlib import ExitStack

from app.errors import Fatal
from app.imports.slice import open_slice
from app.imports.sources.fetch import fetch_file
from app.imports.staged.apply import apply_import
from app.quotas.stored import find_room
from app.runs.kinds import Step
from app.runs.lifecycle import Stopping
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.blobs import BlobDamaged


async def work(runtime: Runtime, run: Run, stopping: Stopping) -> bool:
    """Works on the import for about SLUICE_SLICE_SECONDS, and says whether that has ended it.

    While no other run waits it goes on up to ALONE times as long, because each new slice costs a tenth of a second in
    which PostgreSQL has nothing to do. Raises RunLost, Fatal, Halted, SourceAway, Retryable.
    """
    if run.step is Step.FETCH:
        # The rows follow in slices of their own: between them other imports have their turn.
        await fetch_file(runtime, run)
        return False
    if run.step is Step.APPLY:
        return await apply_import(runtime, run)
    try:
        return await write_rows(runtime, run, stopping)
    except BlobDamaged:
        raise Fatal("source_damaged") from None


async def write_rows(runtime: Runtime, run: Run, stopping: Stopping) -> bool:
    async with runtime.database.read() as session:
        room = await find_room(session, run.account_id)
    with ExitStack() as opened:
        # In a thread, since the file may be far away: leases are renewed meanwhile.
        slice_ = await asyncio.to_thread(opened.enter_context, open_slice(runtime, run, room))
        if not await slice_.write_batches(stopping):
            return False
        return await slice_.finish()
