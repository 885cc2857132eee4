"""Sees to it that a failed row is in one retry or correction at a time: it belongs to the import that has taken it.

So whatever came of an import adds up, whoever starts it twice. What such an import has not come to, has not written in
the end, or has undone, is free again; what failed in it is retried there.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.errors import Refused
from app.imports.row_files.row_set import RowSet
from app.runtime import Runtime
from app.storage.database import ReadSession, Session
from app.storage.overview import taken_rows

MOST_NAMED: Final = 3
TAKEN: Final = "These rows have been imported again already, with {}. Retry or correct there what has failed"


@dataclass(frozen=True, slots=True)
class TakenRows:
    """The rows of an import that others have taken, and the ids of these."""

    rows: RowSet
    by: Sequence[str] = ()

    def refuse(self) -> Refused:
        named, more = self.by[-MOST_NAMED:], len(self.by) - MOST_NAMED
        words = ", ".join(f"`{each}`" for each in named) + (f" and {more} more" if more > 0 else "")
        return Refused("nothing_to_retry", TAKEN.format(words))


async def load_taken(runtime: Runtime, parent_id: str) -> TakenRows:
    async with runtime.database.read() as session:
        return await read_taken(session, parent_id)


async def read_taken(session: ReadSession, parent_id: str) -> TakenRows:
    found = await taken_rows.list_taken(session, parent_id)
    return await asyncio.to_thread(unite, [(each["id"], each["rows"], each["reached"]) for each in found])


def unite(found: Sequence[tuple[str, bytes, int | None]]) -> TakenRows:
    """Of each its id, its packed rows, and how many of them it has; None: all. Blocking."""
    rows, by = RowSet(), []
    for run_id, packed, reached in found:
        taken = RowSet.unpack(packed)
        taken = taken if reached is None else taken.take_first(reached)
        rows.unite(taken)
        by += [run_id] if taken else []
    return TakenRows(rows, by)


async def take_rows(session: Session, parent_id: str, run_id: str, rows: RowSet) -> None:
    """Notes which rows the run has. Call it while the account is locked. Raises Refused("nothing_to_retry") if another
    one has been faster."""
    taken = await read_taken(session, parent_id)
    if taken.rows.overlaps(rows):
        raise taken.refuse()
    await taken_rows.add(session, run_id, rows.pack())
