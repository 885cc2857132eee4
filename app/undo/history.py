"""The history of a record: what has changed it, newest first, told from what is noted and from the record itself.

Nothing is noted of a record that a run creates but its key, so what it was created with is what the next change has
found there, or what it still is.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from app.declarations.stored_records import find_record
from app.declarations.types import load_key_forms
from app.errors import Refused
from app.resources.canonical import to_nfc
from app.runs.changes.change import ChangeOutcome, RecordChange, compare_records
from app.runs.changes.lines import find_line
from app.runs.kinds import Kind
from app.runs.model import AccountId, Run
from app.runs.status import list_by_id
from app.storage.database import ReadSession
from app.storage.journal.history import find_creation_at, find_creation_by, list_noted


class HistoryItem(RecordChange, frozen=True, rename="camel"):
    """A change of the record, when it was made, and by what. `unknown`, and without `fields`, where nothing is noted of
    what was there before or after. `row` and `line` are of the last row of the file that has changed it."""

    at: str = ""
    run_id: str | UnsetType = UNSET
    run_kind: str | UnsetType = UNSET
    run_name: str | UnsetType = UNSET
    file_name: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    sent_by: str | UnsetType = UNSET  # the key, person, schedule or feed
    unknown: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Held:
    """What the record was at some time, and what had changed it last."""

    data: str
    run_id: str | None
    row: int | None
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class NotedChange:
    """A change of the record. `known`: it is known what was there before."""

    outcome: ChangeOutcome
    before: str | None
    after: str | None
    at: datetime
    run_id: str | None
    row: int | None
    sent_by: str | None = None
    known: bool = True
    made: Held | None = None  # nothing is noted of it: it follows from what was there afterwards,
    since: datetime | None = None  # and was made after this moment


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`following`: the number of the change from which on to go on; None at the end."""

    items: Sequence[HistoryItem]
    following: int | None


async def load_history(
    session: ReadSession,
    account_id: AccountId,
    record: Mapping[Any, Any] | None,
    name: tuple[str, str],
    *,
    kinds: Sequence[Kind],
    upto: int | None = None,
    limit: int,
) -> HistoryPage:
    """`name` is the type and the key of the record, `record` what it is now, or None. Of runs of other `kinds` only
    the id is told. `upto`: as `following`."""
    type_, key = name
    above = 0 if upto is None else 1  # the change before the page, which knows what was there after the page's first
    noted = await list_noted(session, account_id, type_, key, upto=upto, limit=limit + above)
    held = read_before(noted[0]) if above and noted else read_now(record)
    more = bool(noted) and noted[-1]["id"] > noted[-1]["oldest"]
    events = [
        each
        for event in list_events(noted[above:], held, complete=not more)
        for each in await explain_event(session, account_id, event, name)
    ]
    ids = {event.run_id for event in events if event.run_id}
    runs: dict[str, Run] = (
        {each.run.id: each.run for each in await list_by_id(session, account_id, kinds, list(ids))} if ids else {}
    )
    lines = {id(event): await find_place(session, event, runs) for event in events}
    items = await asyncio.to_thread(lambda: [build_item(name, each, runs, lines[id(each)]) for each in events])
    return HistoryPage(items, noted[-1]["id"] if more else None)


async def find_history_name(
    session: ReadSession, account_id: AccountId, type: str, key: str
) -> tuple[tuple[str, str], Mapping[Any, Any] | None]:
    """The type and the key of a record as they are stored, and the record; None if it was removed. Raises
    Refused("not_found") if nothing is known of it."""
    try:
        found = await find_record(session, account_id, type, key)
    except Refused:
        key_forms = (await load_key_forms(session, account_id, [type])).get(type)
        for form in dict.fromkeys([*key_forms(key), to_nfc(key)]) if key_forms else ():
            if await list_noted(session, account_id, type, form, upto=None, limit=1):
                return (type, form), None
        raise
    return (type, found["key"]), found


def read_now(record: Mapping[Any, Any] | None) -> Held | None:
    if record is None:
        return None
    return Held(record["data"], record["run_id"], record["run_row"], record["created_at"], record["updated_at"])


def read_before(noted: Mapping[Any, Any]) -> Held | None:
    if noted["before"] is None:
        return None
    return Held(
        noted["before"],
        noted["before_run_id"],
        noted["before_run_row"],
        noted["before_created_at"],
        noted["before_updated_at"],
    )


def list_events(noted: Sequence[Mapping[Any, Any]], held: Held | None, *, complete: bool) -> Iterator[NotedChange]:
    """Newest first. `held` is what the record was after the first of them. `complete`: nothing older is noted."""
    for each in noted:
        if held is not None and (each["outcome"] == "removed" or held.run_id != each["run_id"]):
            yield infer_event(held, since=each["changed_at"])
            held = None
        after = None if held is None else held.data
        row = each["run_row"] if held is None or held.row is None else held.row
        known = after is not None or each["outcome"] == "removed"
        made = (each["changed_at"], each["run_id"], row, each["sent_by"])
        yield NotedChange(each["outcome"], each["before"], after, *made, known=known)
        held = read_before(each)
    if held is not None and complete:
        yield infer_event(held)


def infer_event(held: Held, *, since: datetime | None = None) -> NotedChange:
    """`since`: when the change was made that is noted before it."""
    created = held.created_at == held.updated_at
    outcome: ChangeOutcome = "created" if created else "updated"
    made = (held.updated_at, held.run_id, held.row)
    return NotedChange(outcome, None, held.data, *made, known=created, made=held, since=since)


async def explain_event(
    session: ReadSession, account_id: AccountId, event: NotedChange, name: tuple[str, str]
) -> Sequence[NotedChange]:
    """The event, and before it the creation of the record, where the run that has changed it last is not the one that
    has created it, and what that had left is not noted."""
    held, (type_, key) = event.made, name
    if held is None:
        return [event]
    made = await find_creation_by(session, held.run_id, type_, key) if held.run_id is not None else None
    if made is not None:
        event.outcome, event.known, event.row = "created", True, event.row or made["row"]
    if event.outcome == "created" or (event.since is not None and held.created_at <= event.since):
        return [event]
    first = await find_creation_at(session, account_id, type_, key, held.created_at)
    if first is None:
        return [event]
    return [event, NotedChange("created", None, None, held.created_at, first["run_id"], first["row"], known=False)]


async def find_place(session: ReadSession, event: NotedChange, runs: Mapping[str, Run]) -> int | None:
    run = runs.get(event.run_id or "")
    if run is None or event.row is None or run.kind is not Kind.IMPORT:
        return None
    return await find_line(session, run, event.row)


def build_item(name: tuple[str, str], event: NotedChange, runs: Mapping[str, Run], line: int | None) -> HistoryItem:
    """Blocking: records may be large."""
    run = runs.get(event.run_id or "")
    facts: dict[str, Any] = {"run_id": event.run_id, "line": line, "sent_by": event.sent_by}
    if run is not None:
        facts |= {"run_kind": run.kind.value, "run_name": run.name, "file_name": run.file_name}
        facts["sent_by"] = run.created_by
    if run is not None and run.kind is Kind.IMPORT:
        facts["row"] = event.row
    if not event.known:
        facts["unknown"] = True
    return HistoryItem(
        *name,
        event.outcome,
        compare_records(event.before, event.after) if event.known else [],
        at=event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **{member: value for member, value in facts.items() if value is not None},
    )
