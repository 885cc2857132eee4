"""The batches of a run that are under way side by side: what each has to know of those before it (ADR 11)."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from app.imports.merging.batch_merge import PreparedBatch
from app.storage.applying import closing
from app.storage.database import Session
from app.storage.merge import MergeTarget


class BatchWrite:
    """One batch on its way into the store: a task that writes it, and what the batches after it have to know."""

    def __init__(self, prepared: PreparedBatch, write: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        """`write` sets the event as soon as the batch will lock no further record."""
        self.merged = asyncio.Event()
        self.keys = frozenset(prepared.checked.list_named())
        self.sees_records = prepared.sees_records
        self.done = asyncio.create_task(write(self.merged))
        # If it fails before its merge, waiters resume and get the error from `done`.
        self.done.add_done_callback(lambda _: self.merged.set())


async def wait_to_merge(
    session: Session, target: MergeTarget, prepared: PreparedBatch, before: Sequence[BatchWrite]
) -> bool:
    """Waits until a batch may be merged. One that looks at records before it merges has to see those of the batches
    `before` it, and so does a staged one with any of their keys. Any other waits for the merges of those that look and
    of those with which it shares a key, and of all while another import of the type is open: so none can deadlock, and
    the others are merged at the same time. Nobody else writes into an overlay. Returns whether the batch will see all
    records that it shares with them."""
    named = prepared.checked.list_named()
    sharing = [each for each in before if not each.keys.isdisjoint(named)]
    if before and (prepared.sees_records or (target.staged and sharing)):
        await before[-1].done
        return True
    if before and not target.staged:
        # One that looks takes its first lock late. Another import that began meanwhile could wait for us, and it for
        # that import: PostgreSQL does not see such a circle. So who else is there is asked after that.
        for each in before:
            if each.sees_records or each in sharing:
                await each.merged.wait()
        if (await closing.find_other_imports(session, target))["any_open"]:
            for each in before:
                await each.merged.wait()
    return not sharing
