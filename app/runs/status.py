"""Reads runs for those who poll and list them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.errors import Refused
from app.runs.families.totals import FamilyTotals, look_up_family, read_family
from app.runs.kinds import Kind
from app.runs.model import AccountId, Run, is_run_id, read_run_id, run_from
from app.runs.progress import Outcome, Wait, estimate_seconds_left, explain_wait, outcome_of, percent_done
from app.runs.states import HELD, State
from app.storage import runs
from app.storage.database import Database, ReadSession
from app.storage.overview import account_runs
from app.storage.runs import Filter
from app.storage.sharing.shared_reads import FEW_KEYS
from app.storage.watching.versions import RunVersion

SMALL_ROWS = 50_000  # an import of fewer rows is polled every second, a larger one every two


@dataclass(frozen=True, slots=True)
class Status:
    """A run, and what depends on other runs or on the clock."""

    run: Run
    queue_position: int | None
    percent: float
    eta_seconds: int | None
    outcome: Outcome | None
    wait: Wait | None = None  # while it does not move: what for
    family: FamilyTotals | None = None  # only of a run that is read by itself, once it has ended


async def find_run(
    session: ReadSession,
    account_id: AccountId,
    run_id: str,
    *,
    kind: Kind | None = Kind.IMPORT,
    retention_days: int,
    whole: bool = True,
) -> Run:
    """The account's run, of one kind or of any; unless it is to be `whole`, its plan lacks what describes the columns.
    Raises Refused: not_found; gone, with the day, once it was pruned."""
    row = await runs.get(session, account_id, read_run_id(run_id), whole=whole)
    return require_run(row, account_id, kind, retention_days=retention_days)


async def look_up_run(
    database: Database, account_id: AccountId, run_id: str, *, kind: Kind | None = Kind.IMPORT, retention_days: int
) -> Run:
    """The same for a poll, not whole: it shares a read with the other polls. Raises as `find_run`."""
    own_id = read_run_id(run_id)
    row = await database.look_up(runs.find_lean, own_id) if is_run_id(own_id) else None
    return require_run(row, account_id, kind, retention_days=retention_days)


def require_run(row: Mapping[Any, Any] | None, account_id: AccountId, kind: Kind | None, *, retention_days: int) -> Run:
    """The run of a row, if it is the account's and of this kind. Raises as `find_run`."""
    if row is None or row["account_id"] != account_id or kind not in (None, row["kind"]):
        raise Refused("not_found", f"There is no {kind or 'run'} with this id")
    run = run_from(row)
    if run.pruned_at is not None:
        raise Refused(
            "gone",
            f"The {run.kind} ended on {run.finished_at:%Y-%m-%d} and was deleted on {run.pruned_at:%Y-%m-%d}: "
            f"{run.kind}s are kept for {retention_days} days",
        )
    return run


async def read_status(session: ReadSession, run: Run) -> Status:
    """What a poll of the run shows."""
    if run.state is not State.QUEUED:
        return replace(describe_status(run, None), family=await read_family(session, run))
    position = await runs.queue_position(session, run.account_id, run.kind, run.id, run.created_at)
    pace = await account_runs.measure_pace(session, run.account_id, run.kind)
    return describe_status(run, position, usual_wait=pace["waiting"])


async def look_up_status(database: Database, run: Run) -> Status:
    """The same for a poll: it shares reads with the other polls."""
    if run.state is not State.QUEUED:
        return replace(describe_status(run, None), family=await look_up_family(database, run))
    own: tuple[int, str] = run.account_id, run.id
    queue: tuple[int, str] = run.account_id, run.kind
    place = await database.look_up(account_runs.find_places, own)
    pace = await database.look_up(account_runs.measure_paces, queue, most=FEW_KEYS)
    return describe_status(run, place, usual_wait=pace["waiting"] if pace else None)


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs of an account, newest first. `after` is the moment and the id of the last run that was seen."""

    kinds: Sequence[Kind]
    filters: Mapping[Filter, str] = field(default_factory=dict)
    since: datetime | None = None  # accepted since this moment
    before: datetime | None = None
    after: tuple[datetime, str] | None = None


async def list_accepted(
    session: ReadSession, account_id: AccountId, query: RunQuery, *, limit: int
) -> tuple[list[Status], bool]:
    """A page of the runs, without options, plan, problems and warnings, and whether there are more."""
    rows = await runs.list_accepted(
        session,
        account_id,
        query.kinds,
        query.filters,
        since=query.since,
        before=query.before,
        after=query.after,
        limit=limit + 1,
    )
    return await read_statuses(session, account_id, [run_from(row) for row in rows[:limit]]), len(rows) > limit


async def read_statuses(session: ReadSession, account_id: AccountId, listed: Sequence[Run]) -> list[Status]:
    """The same for runs of one account, with one query."""
    queued = [(int(account_id), run.id) for run in listed if run.state is State.QUEUED]
    places = await account_runs.find_places(session, queued) if queued else {}
    return [describe_status(run, places.get((account_id, run.id))) for run in listed]


def describe_status(run: Run, position: int | None, *, usual_wait: float | None = None) -> Status:
    # This machine's clock is good enough for an estimate; leases use the database's.
    now = datetime.now(UTC)
    wait = explain_wait(run, position, usual_wait, now)
    return Status(run, position, percent_done(run), estimate_seconds_left(run, now), outcome_of(run), wait)


async def list_by_id(
    session: ReadSession, account_id: AccountId, kinds: Sequence[Kind], ids: Sequence[str]
) -> list[Status]:
    """Those of the account's runs with these ids, in no order, without what lists leave out."""
    rows = await account_runs.list_by_id(session, account_id, kinds, ids)
    return await read_statuses(session, account_id, [run_from(row) for row in rows])


async def count_newer(session: ReadSession, account_id: AccountId, query: RunQuery, *, limit: int) -> int:
    """How many runs that the query finds are newer than the last that was seen, counted up to `limit`."""
    if query.after is None:
        return 0
    return await runs.count_newer(session, account_id, query.kinds, query.filters, seen=query.after, limit=limit)


async def list_newest(
    session: ReadSession, account_id: AccountId, origins: Sequence[str], *, before: datetime | None, limit: int
) -> tuple[list[Run], bool]:
    """The account's newest runs of these origins accepted before a moment, and whether there are more."""
    rows = await runs.list_by_origin(session, account_id, origins, before=before, limit=limit + 1)
    return [run_from(row) for row in rows[:limit]], len(rows) > limit


async def list_accepted_between(
    session: ReadSession,
    account_id: AccountId,
    origins: Sequence[str],
    *,
    since: datetime | None,
    before: datetime | None,
    page: int,
    size: int,
) -> list[Run]:
    """A page (the first is 1) of the account's runs of these origins, newest first."""
    rows = await runs.list_by_origin(
        session, account_id, origins, since=since, before=before, offset=(page - 1) * size, limit=size
    )
    return [run_from(row) for row in rows]


async def list_imports(
    session: ReadSession,
    account_id: AccountId,
    *,
    states: Sequence[State] | None,
    type: str | None,
    page: int,
    size: int,
) -> tuple[list[Run], bool]:
    """A page (the first is 1) of the account's imports, newest first, and whether there is another page."""
    rows = await runs.list_imports(
        session, account_id, states=states, type=type, offset=(page - 1) * size, limit=size + 1
    )
    return [run_from(row) for row in rows[:size]], len(rows) > size


def retry_after(run: Run | RunVersion) -> timedelta | None:
    """When to poll again; None once the run has ended, and while it waits for somebody to decide."""
    return None if run.done or run.state in HELD else timedelta(seconds=1 if (run.total or 0) < SMALL_ROWS else 2)
