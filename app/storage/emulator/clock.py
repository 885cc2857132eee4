"""Moves the clock of an emulator."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from app.storage.database import ReadSession, Session

READ: Final = "SELECT clock_timestamp() AS now, shift FROM emulator.clock"

# What is being worked on stays with its worker, as if no time had passed.
KEEP_LEASES: Final = "UPDATE runs SET lease_until = lease_until + CAST(:by AS interval) WHERE lease_until IS NOT NULL"


async def read(session: ReadSession) -> tuple[datetime, timedelta]:
    """What the clock shows, and by how much it is ahead of the machine's."""
    row = (await session.execute(text(READ))).one()
    return row.now, row.shift


async def move(session: Session, *, by: timedelta) -> None:
    await session.execute(text("UPDATE emulator.clock SET shift = shift + CAST(:by AS interval)"), {"by": by})
    await session.execute(text(KEEP_LEASES), {"by": by})
