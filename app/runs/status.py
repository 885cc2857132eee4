"""Reads runs for those who poll them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.errors import Refused
from app.runs.model import AccountId, Run, run_from
from app.runs.progress import Outcome, eta_seconds, outcome, percent
from app.runs.states import State
from app.storage import runs
from app.storage.database import ReadSession

NO_RUN = "There is no import with this id"


@dataclass(frozen=True, slots=True)
class Status:
    """A run and what depends on others or on the clock."""

    run: Run
    queue_position: int | None
    percent: float
    eta_seconds: int | None
    outcome: Outcome | None


async def find(session: ReadSession, account_id: AccountId, run_id: str, *, retention_days: int) -> Run:
    """The account's run. Raises Refused("not_found"), or Refused("gone") naming the day once it was pruned."""
    row = await runs.get(session, account_id, run_id.removeprefix("aa_"))
    if row is None:
        raise Refused("not_found", NO_RUN)
    run = run_from(row)
    if run.pruned_at is not None:
        kept = f"The import ended on {run.finished_at:%Y-%m-%d} and was kept for {retention_days} days"
        raise Refused("gone", f"{kept}; it was deleted on {run.pruned_at:%Y-%m-%d}")
    return run


async def status(session: ReadSession, run: Run) -> Status:
    """What a poll of the run shows."""
    position = await runs.queue_position(session, run.account_id, run.seq) if run.state is State.QUEUED else None
    # This machine's clock will do for an estimate; leases go by the database's.
    return Status(run, position, percent(run), eta_seconds(run, datetime.now(UTC)), outcome(run))


async def made_by(
    session: ReadSession, account_id: AccountId, origins: Sequence[str], *, before: datetime | None, limit: int
) -> tuple[list[Run], bool]:
    """The account's newest runs of some origins that were accepted before a moment, and whether there are more."""
    rows = await runs.made_by(session, account_id, origins, times=(None, before), limit=limit + 1)
    return [run_from(row) for row in rows[:limit]], len(rows) > limit


async def made_between(
    session: ReadSession,
    account_id: AccountId,
    origins: Sequence[str],
    *,
    times: tuple[datetime | None, datetime | None],
    number: int,
    size: int,
) -> list[Run]:
    """A page of the account's runs of some origins, newest first (`number` from 1), that were accepted since the first
    moment and before the second."""
    rows = await runs.made_by(session, account_id, origins, times=times, offset=(number - 1) * size, limit=size)
    return [run_from(row) for row in rows]


async def page(
    session: ReadSession,
    account_id: AccountId,
    *,
    states: Sequence[State] | None,
    type: str | None,
    number: int,
    size: int,
) -> tuple[list[Run], bool]:
    """A page of the account's runs, newest first (`number` from 1), and whether there is another behind it."""
    rows = await runs.page(session, account_id, states=states, type=type, offset=(number - 1) * size, limit=size + 1)
    return [run_from(row) for row in rows[:size]], len(rows) > size


def retry_after(run: Run) -> timedelta | None:
    """When to poll again: soon while little is left, else every two seconds; None once the run has ended."""
    return None if run.done else timedelta(seconds=1 if (run.total or 0) < 50_000 else 2)
