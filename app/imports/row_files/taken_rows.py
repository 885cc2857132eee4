"""Sees to it that a failed row is in one retry or correction at a time: it belongs to the import that has taken it.

So whatever came of an import adds up, whoever starts it twice. What such an import has not come to, or has not written
in the end, is free again; what failed in it is retried there. If it is undone its rows go back to its parent, but for
those that others have taken from it, and nothing is retried there any more.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.errors import Refused
from app.imports.row_files.row_set import RowSet
from app.runtime import Runtime
from app.storage.database import ReadSession, Session
from app.storage.overview import taken_rows

MOST_NAMED: Final = 3
RETURNED: Final = "This import was undone, and its rows are again those of `{}`. Retry or correct them there"
TAKEN: Final = "These rows have been imported again already, with {}. Retry or correct there what has failed"


@dataclass(frozen=True, slots=True)
class TakenRows:
    """The rows of an import that others have taken, and the ids of these; or that it has `returned` its rows, to the
    import with this id."""

    rows: RowSet
    by: Sequence[str] = ()
    returned: str | None = None

    def find_all(self, failed: int) -> Sequence[str]:
        """The ids of the imports that have all of so many failed rows; none if some are left."""
        if self.returned is not None:
            return [self.returned]
        return self.by if self.rows.count() >= failed else ()

    def refuse(self) -> Refused:
        if self.returned is not None:
            return Refused("nothing_to_retry", RETURNED.format(self.returned))
        named, more = self.by[-MOST_NAMED:], len(self.by) - MOST_NAMED
        words = ", ".join(f"`{each}`" for each in named) + (f" and {more} more" if more > 0 else "")
        return Refused("nothing_to_retry", TAKEN.format(words))


async def load_taken(runtime: Runtime, parent_id: str) -> TakenRows:
    async with runtime.database.read() as session:
        return await read_taken(session, parent_id)


async def read_taken(session: ReadSession, parent_id: str) -> TakenRows:
    found = await taken_rows.list_taken(session, parent_id)
    below = {each["id"]: await read_taken(session, each["id"]) for each in found if each["undone"]}
    taken = await asyncio.to_thread(unite, found, below)
    return replace(taken, returned=await taken_rows.find_returned(session, parent_id))


def unite(found: Sequence[Mapping[Any, Any]], below: Mapping[str, TakenRows]) -> TakenRows:
    """`found` are rows of app.storage.overview.taken_rows; `below` has what others have of those that are undone.
    Blocking."""
    rows, by = RowSet(), list[str]()
    for each in found:
        packed, again = RowSet.unpack(each["rows"]), below.get(each["id"])
        taken = packed if each["reached"] is None else packed.take_first(each["reached"])
        if again is not None:
            taken.unite(packed.pick(again.rows))
        rows.unite(taken)
        by += again.by if again is not None else [each["id"]] if taken else []
    return TakenRows(rows, by)


async def take_rows(session: Session, parent_id: str, run_id: str, rows: RowSet) -> None:
    """Notes which rows the run has. Call it while the account is locked. Raises Refused("nothing_to_retry") if another
    one has been faster."""
    taken = await read_taken(session, parent_id)
    if taken.returned or taken.rows.overlaps(rows):
        raise taken.refuse()
    await taken_rows.add(session, run_id, rows.pack())
