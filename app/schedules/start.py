"""Starts what is due by the clock: once each, whichever worker finds it, and whatever is killed meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from app.connections.pull import Pull
from app.errors import Refused, Retryable
from app.exports.intake import read_request, store_export
from app.imports.intake import check_pull, store_each
from app.imports.sources.pattern import list_matching
from app.imports.submissions.from_connection import load_submission
from app.observe.events import StepReached
from app.observe.schedule_events import ScheduleSettled
from app.runs.acceptance import announce_run
from app.runs.model import Run
from app.runtime import Runtime
from app.schedules.cron import find_next
from app.schedules.schedule import REASONS, Progress, Result, Schedule, Status, schedule_from
from app.storage.access import accounts
from app.storage.clock import schedules
from app.storage.database import DatabaseUnavailable, Session
from app.syncs.intake import SyncRequest, store_sync_run
from app.transports.failed import TransportFailed
from app.transports.guard import is_own_trouble
from app.transports.transport import FileInfo

MOST_AT_ONCE: Final = 20  # starts of one worker, each of another account
NONE: Final = Progress()
LIST_SECONDS: Final = 20.0  # in which the files of a folder have to be listed
LEASE_SECONDS: Final = 90.0  # after which a start that a worker has begun is begun by another one
ROOM_SECONDS: Final = 30.0  # until a start that found no room is tried again
AWAY_SECONDS: Final = (30.0, 60.0, 120.0, 300.0, 600.0)  # the same, if a server did not answer
LOST: Final = {"source_away": "source_lost", "unexpected": "unexpected_again"}  # what it becomes in the end
UNEXPECTED: Final = "The service met an error that it did not expect, which its log describes"


@dataclass(frozen=True, slots=True)
class Started:
    """What has found room: for files, those up to `after`; `left` were left over."""

    runs: Sequence[Run] = ()
    left: int = 0
    after: FileInfo | None = None


# Stores the runs in a transaction. What calls other servers was done before.
Store = Callable[[Session], Awaitable[Started]]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a schedule: it waits for `seconds`, or else for its next time."""

    status: Status
    code: str | None = None
    detail: str | None = None
    runs: int = 0  # of the whole start
    seconds: float | None = None
    progress: Progress = NONE


async def prepare_import(runtime: Runtime, schedule: Schedule) -> Store:
    """Raises Refused, TransportFailed."""
    assert schedule.target is not None  # noqa: S101  an import has a connection
    submission = await load_submission(
        runtime, schedule.account_id, schedule.target, schedule.request, started_by=schedule.id
    )
    await check_pull(runtime, submission)
    assert isinstance(submission.file, Pull)  # noqa: S101  for the type only
    after = schedule.progress.after_file
    files = await list_matching(runtime, schedule.account_id, submission.file, after=after)

    async def store(session: Session) -> Started:
        stored = await store_each(session, runtime, submission, files)
        left = len(files) - len(stored)
        return Started(stored, left, files[len(stored) - 1] if left else None)

    return store


async def prepare_export(runtime: Runtime, schedule: Schedule) -> Store:
    wanted = read_request(schedule.account_id, schedule.request, started_by=schedule.id)

    async def store(session: Session) -> Started:
        return Started([await store_export(session, runtime, wanted)])

    return store


async def prepare_sync(runtime: Runtime, schedule: Schedule) -> Store:
    assert schedule.target is not None  # noqa: S101  a sync has an item sync
    wanted = SyncRequest(
        account_id=schedule.account_id,
        sync_id=schedule.target,
        created_by=schedule.id,
        mode=schedule.request.get("mode"),
        dry_run=schedule.request.get("dryRun", False),
    )

    async def store(session: Session) -> Started:
        return Started([await store_sync_run(session, runtime, wanted)])

    return store


PREPARE: Final[Mapping[str, Callable[[Runtime, Schedule], Awaitable[Store]]]] = {
    "import": prepare_import,
    "export": prepare_export,
    "sync": prepare_sync,
}


async def start_due(runtime: Runtime) -> None:
    """Starts everything that is due. Several workers may do it at a time. An error in one start delays no other: the
    first is raised when all have ended, and what it has hit is tried again."""
    while taken := await take_due(runtime):
        ended = await asyncio.gather(*(start(runtime, row) for row in taken), return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error


async def take_due(runtime: Runtime) -> Sequence[Mapping[Any, Any]]:
    async with runtime.database.transaction() as session:
        now = await runtime.now(session)
        until = now + timedelta(seconds=LEASE_SECONDS)
        return await schedules.take_due(session, now, until=until, limit=MOST_AT_ONCE)


async def start(runtime: Runtime, row: Mapping[Any, Any]) -> None:
    """Starts a schedule that was taken. An error that nobody has expected is raised, and shown: the owner of the
    schedule does not read the log. What the service only waits for is tried again when the lease ends."""
    schedule = schedule_from(row)
    try:
        settled, store = await prepare(runtime, schedule, row["open_run"])
        await settle(runtime, schedule, row["due_at"], settled, store)
    except Exception as error:
        if not isinstance(error, Retryable) and not is_own_trouble(error):
            with suppress(DatabaseUnavailable):
                await settle(runtime, schedule, row["due_at"], try_again(schedule, "unexpected", UNEXPECTED), None)
        raise


async def settle(
    runtime: Runtime, schedule: Schedule, until: datetime, settled: Settlement, store: Store | None
) -> None:
    """Its runs and what has become of it are stored in one transaction, so that it is started once. `until` is the
    lease."""
    started = Started()
    async with runtime.database.transaction() as session:
        await accounts.lock(session, schedule.account_id)  # in this order, as those who change a schedule
        if not await schedules.hold(session, schedule.id, until=until):
            return
        if store is not None:
            settled, started = await store_runs(session, store, schedule)
        values = build_columns(schedule, settled, started, await runtime.now(session))
        await schedules.settle(session, schedule.id, values)
        runtime.observe(StepReached(schedule.id, "schedule_stored"))
    runtime.observe(StepReached(schedule.id, "schedule_settled"))
    for run in started.runs:
        await announce_run(runtime, run)
    runtime.observe(
        ScheduleSettled(schedule.id, schedule.account_id, schedule.kind, settled.status, settled.code, settled.runs)
    )


async def prepare(runtime: Runtime, schedule: Schedule, open_run: str | None) -> tuple[Settlement, Store | None]:
    """What stores the runs; None if nothing is to be started now, for the reason beside it."""
    runtime.observe(StepReached(schedule.id, "schedule_taken"))
    if open_run is not None and schedule.progress == NONE:
        detail = REASONS["previous_not_ended"].format(kind=schedule.kind, run=open_run)
        return Settlement("skipped", "previous_not_ended", detail), None
    try:
        async with asyncio.timeout(LIST_SECONDS):
            return Settlement("started"), await PREPARE[schedule.kind](runtime, schedule)
    except Refused as refused:
        return Settlement("failed", refused.code, refused.detail, schedule.progress.runs), None
    except TransportFailed as failed:
        return try_again(schedule, "source_away", failed.detail), None
    except TimeoutError:
        slow = f"The server did not list its files within {LIST_SECONDS:g} seconds"
        return try_again(schedule, "source_away", slow), None


def try_again(schedule: Schedule, code: str, reason: str) -> Settlement:
    """Tries again for a while, and then gives up."""
    reason, done = reason.rstrip("."), schedule.progress
    if done.tries < len(AWAY_SECONDS):
        progress = msgspec.structs.replace(done, tries=done.tries + 1)
        detail = REASONS[code].format(reason=reason)
        return Settlement("waiting", code, detail, done.runs, AWAY_SECONDS[done.tries], progress)
    detail = REASONS[LOST[code]].format(reason=reason, tries=done.tries + 1)
    return Settlement("failed", LOST[code], detail, done.runs)


async def store_runs(session: Session, store: Store, schedule: Schedule) -> tuple[Settlement, Started]:
    """What is refused here is refused for the first run, before anything is written."""
    before = schedule.progress.runs
    try:
        started = await store(session)
    except Refused as refused:
        if refused.code == "queue_full":
            detail = f"{before:,} imports were started. {refused.detail}" if before else refused.detail
            return Settlement("waiting", "queue_full", detail, before, ROOM_SECONDS, schedule.progress), Started()
        if refused.code == "sync_not_ended":  # somebody else has run it
            return Settlement("skipped", "previous_not_ended", refused.detail), Started()
        return Settlement("failed", refused.code, refused.detail, before), Started()
    runs = before + len(started.runs)
    if started.after is not None:
        progress = Progress(runs=runs, after=(started.after.modified, started.after.path))
        detail = REASONS["no_room"].format(runs=runs, left=started.left)
        return Settlement("waiting", "no_room", detail, runs, ROOM_SECONDS, progress), started
    if not runs:
        return Settlement("skipped", "no_files", REASONS["no_files"]), started
    return Settlement("started", runs=runs), started


def build_columns(schedule: Schedule, settled: Settlement, started: Started, now: datetime) -> dict[str, Any]:
    """The columns of a schedule after a start. However many of its times were missed, one start makes up for them."""
    planned = schedule.next_run_at or now
    result = Result(
        status=settled.status,
        planned_for=planned,
        at=now,
        runs=settled.runs,
        code=settled.code,
        detail=settled.detail,
    )
    values: dict[str, Any] = {"last_result": msgspec.to_builtins(result)}
    if started.runs:
        values["last_run_id"] = started.runs[-1].id
    if settled.seconds is not None:
        due_at = now + timedelta(seconds=settled.seconds)
        return values | {"due_at": due_at, "progress": msgspec.to_builtins(settled.progress)}
    next_run_at = find_next(schedule.cron, schedule.timezone, after=max(now, planned))
    failures = {"failed": schedule.failures + 1, "started": 0}.get(settled.status, schedule.failures)
    return values | {"next_run_at": next_run_at, "due_at": next_run_at, "progress": None, "failures": failures}
