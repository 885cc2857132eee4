"""Forgets what is older than SLUICE_AUDIT_DAYS."""

from app.runtime import Runtime
from app.storage.audit.rows import drop_old


async def forget_old_deeds(runtime: Runtime) -> None:
    """In transactions of their own, so that each is short."""
    dropped = 1
    while dropped:
        async with runtime.database.transaction() as session:
            dropped = await drop_old(session, days=runtime.settings.audit_days)
