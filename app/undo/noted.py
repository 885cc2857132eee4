"""What a run has changed, record by record, for as long as it can be undone."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import UNSET

from app.errors import Complaint, Refused
from app.runs.changes.change import ChangeOutcome, RecordChange, compare_records
from app.runs.changes.undoable import explain_not_undoable
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.journal.changes import NotedPart, list_changes

PARTS: Final[Mapping[str, NotedPart]] = {"u": "changed", "c": "created"}  # in this order; a cursor begins with one
FILE_RECORDS: Final = 1_000  # of a file that are read at a time
match_cursor = re.compile(r"([uc])([0-9]{1,18})\.([0-9]{1,9})").fullmatch


@dataclass(frozen=True, slots=True)
class NotedPage:
    """Some changes, and where the next ones begin; None: there are no more."""

    changes: Sequence[RecordChange]
    cursor: str | None


async def load_noted(
    runtime: Runtime, run: Run, *, cursor: str | None, limit: int, outcomes: Collection[ChangeOutcome]
) -> NotedPage:
    """What the run has changed and removed, then what it has created. Raises Refused: not_undoable, invalid."""
    ensure_noted(runtime, run)
    match = match_cursor(cursor or "u0.0")
    if match is None:
        reason = "`cursor` is not valid: use the one from the previous page"
        raise Refused("invalid", reason, [Complaint("cursor", reason)])
    sign, after = match[1], (int(match[2]), int(match[3]))
    async with runtime.database.read() as session:
        rows = await list_changes(
            session, run.account_id, run.id, PARTS[sign], after=after, limit=limit, outcomes=list(outcomes)
        )
    told = await asyncio.to_thread(lambda: [build_noted(row) for row in rows])
    if rows:
        return NotedPage(told, f"{sign}{rows[-1]['id']}.{rows[-1]['place']}")
    return NotedPage(told, "c0.0" if sign == "u" else None)


def build_noted(row: Mapping[Any, Any]) -> RecordChange:
    known = row["outcome"] == "removed" or row["after"] is not None
    fields = compare_records(row["before"], row["after"]) if known else []
    return RecordChange(row["type"], row["key"], row["outcome"], fields, UNSET if row["row"] is None else row["row"])


def ensure_noted(runtime: Runtime, run: Run) -> None:
    """Raises Refused("not_undoable")."""
    reason = explain_not_undoable(run, runtime.settings.undo_days)
    if reason:
        raise Refused("not_undoable", reason)


async def read_noted(
    runtime: Runtime, run: Run, outcomes: Collection[ChangeOutcome]
) -> AsyncIterator[Sequence[RecordChange]]:
    """All of them, page after page. Raises Refused("not_undoable")."""
    cursor, begun = None, False
    while cursor is not None or not begun:
        async with runtime.heavy_reads.turn(run.account_id, begun=begun):
            page = await load_noted(runtime, run, cursor=cursor, limit=FILE_RECORDS, outcomes=outcomes)
        cursor, begun = page.cursor, True
        yield page.changes
