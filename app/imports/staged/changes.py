"""What a staged import would change, record by record, as long as it waits to be applied."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.errors import Refused, SourceLost
from app.imports.merging.targets import build_target
from app.runs.changes.change import ChangeOutcome, RecordChange, build_change
from app.runs.kinds import Kind
from app.runs.model import Run, run_from
from app.runs.states import HELD
from app.runtime import Runtime
from app.storage import runs
from app.storage.applying import changes, removal
from app.storage.database import ReadSession
from app.storage.merge import MergeTarget
from app.storage.overlays.view import use_indexes

ALL: Final[tuple[ChangeOutcome, ...]] = ("created", "updated", "removed")
FILE_RECORDS: Final = 1_000  # of a file that are read at a time
NOT_THERE: Final = "Only an import that waits, and has written nothing yet, shows what it would change"
# Records that would be removed come after those that rows write. A cursor begins with which of both it is in.
PARTS: Final = (WRITTEN := "w", REMOVED := "r")


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Some changes, and where the next ones begin; None: there are no more."""

    changes: Sequence[RecordChange]
    cursor: str | None


async def load_changes(
    runtime: Runtime, run: Run, *, cursor: str | None, limit: int, outcomes: Collection[ChangeOutcome] = ALL
) -> ChangePage:
    """At most so many changes with one of the outcomes: first those that rows make, then what would be removed, each in
    the order of their keys. Raises Refused("not_held") for a run that is not held, or has nothing staged."""
    ensure_planned(run)
    target = build_target(runtime, run)
    part, after = (WRITTEN, "") if cursor is None else (cursor[:1], cursor[1:])
    async with runtime.database.read() as session:
        await use_indexes(session)
        found = await list_some(session, run, target, part=part, after=after, limit=limit + 1, outcomes=outcomes)
        rows = await changes.load_records(session, target, [key for _, key in found[:limit]])
        now = await runs.get(session, run.account_id, run.id)
    if now is None or run_from(now).plan_number != run.plan_number:
        raise Refused("not_held", NOT_THERE)
    told = await asyncio.to_thread(build_changes, run.type, rows)
    more = bool(rows) and len(rows) < len(found)
    return ChangePage(told, "".join(found[len(rows) - 1]) if more else None)


def ensure_planned(run: Run) -> None:
    """Raises Refused("not_held") for a run that is not held, or has nothing staged."""
    if not is_planned(run):
        raise Refused("not_held", NOT_THERE)


def is_planned(run: Run) -> bool:
    """Whether it waits with what it would change."""
    return run.kind is Kind.IMPORT and run.state in HELD and run.is_staged


async def sample_changes(runtime: Runtime, run: Run, *, most: int) -> list[RecordChange]:
    """Some changes of each kind, those of the rarest first. Raises Refused("not_held")."""
    updated = 0 if build_target(runtime, run).removes else run.updated
    counts: dict[ChangeOutcome, int] = {"created": run.created, "updated": updated, "removed": run.removed or 0}
    kinds = sorted((outcome for outcome in ALL if counts[outcome]), key=lambda outcome: counts[outcome])
    found: list[RecordChange] = []
    for place, outcome in enumerate(kinds):
        share = (most - len(found)) // (len(kinds) - place)
        found += (await load_changes(runtime, run, cursor=None, limit=share, outcomes=[outcome])).changes
    return found


def build_changes(type: str, rows: Sequence[Mapping[Any, Any]]) -> list[RecordChange]:
    """Blocking: records may be large."""
    return [build_change(type, row["key"], row["before"], row["after"], row=row["row"]) for row in rows]


async def list_some(
    session: ReadSession,
    run: Run,
    target: MergeTarget,
    *,
    part: str,
    after: str,
    limit: int,
    outcomes: Collection[ChangeOutcome],
) -> list[tuple[str, str]]:
    """(part, key) of records, in their order."""
    found: list[tuple[str, str]] = []
    created, updated = "created" in outcomes, ("removed" if target.removes else "updated") in outcomes
    if part == WRITTEN and (created or updated):
        keys = await changes.list_keys(session, target, after=after, limit=limit, created=created, updated=updated)
        found += ((WRITTEN, key) for key in keys)
    if len(found) < limit and run.removed and "removed" in outcomes and not target.removes:
        after = after if part == REMOVED else ""
        keys = await removal.list_unnamed(session, target, after=after, limit=limit - len(found))
        found += ((REMOVED, key) for key in keys)
    return found


async def read_changes(
    runtime: Runtime, run: Run, outcomes: Collection[ChangeOutcome] = ALL
) -> AsyncIterator[Sequence[RecordChange]]:
    """All of them, page after page. Raises Refused("not_held") for the first one, and SourceLost if the run is decided
    before the last one."""
    cursor, begun = None, False
    while cursor is not None or not begun:
        try:
            async with runtime.heavy_reads.turn(run.account_id, begun=begun):
                page = await load_changes(runtime, run, cursor=cursor, limit=FILE_RECORDS, outcomes=outcomes)
        except Refused as decided:
            if not begun or decided.code != "not_held":
                raise
            raise SourceLost from None
        cursor, begun = page.cursor, True
        yield page.changes
