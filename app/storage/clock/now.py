"""The clock that all processes share: PostgreSQL's."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy import text

from app.storage.database import ReadSession

Clock = Callable[[ReadSession], Awaitable[datetime]]


async def read_clock(session: ReadSession) -> datetime:
    """The moment of the call, and not that at which the transaction began."""
    moment: datetime = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return moment
