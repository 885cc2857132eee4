"""The faults of an emulator as rows, which the API and the worker share."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session

LISTED: Final = "SELECT number, spec, reached FROM emulator.faults ORDER BY number"
REACH: Final = "UPDATE emulator.faults SET reached = reached + 1 WHERE number = ANY(:numbers) RETURNING number, reached"


async def listed(session: ReadSession) -> Sequence[RowMapping]:
    """In the order in which they were set."""
    return (await session.execute(text(LISTED))).mappings().all()


async def replace_all(session: Session, specs: Sequence[Mapping[str, Any]]) -> None:
    await session.execute(text("DELETE FROM emulator.faults"))
    for spec in specs:
        stored = {"spec": json.dumps(spec)}
        await session.execute(text("INSERT INTO emulator.faults (spec) VALUES (CAST(:spec AS jsonb))"), stored)


async def reach(session: Session, numbers: Collection[int]) -> Mapping[int, int]:
    """Counts that the places of these faults were come to, and tells how often by now, by number."""
    counted = await session.execute(text(REACH), {"numbers": list(numbers)})
    return {row.number: row.reached for row in counted}
