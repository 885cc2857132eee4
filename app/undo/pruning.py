"""Forgets what is too old to be undone."""

from app.runtime import Runtime
from app.storage.journal.pruning import drop_old


async def forget_old_changes(runtime: Runtime) -> None:
    """In transactions of their own, so that nobody waits for a large one."""
    dropped = 1
    while dropped:
        async with runtime.database.transaction() as session:
            dropped = await drop_old(session, days=runtime.settings.undo_days)
