"""How many runs an account had on each of the last days."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from app.runs.kinds import Kind
from app.runs.model import AccountId
from app.storage.database import ReadSession
from app.storage.overview import account_runs


@dataclass(frozen=True, slots=True)
class Day:
    """A day in UTC: the runs that were accepted on it and are kept, and how many of them could not be finished."""

    day: date
    runs: int = 0
    failed: int = 0


async def count_daily(
    session: ReadSession, account_id: AccountId, kinds: Sequence[Kind], *, now: datetime, days: int
) -> list[Day]:
    """The last days, the oldest first, each of them also if it had no run."""
    found = await account_runs.count_by_day(session, account_id, kinds, list(last_days(now, days)))
    return [Day(row["day"], row["runs"], row["failed"]) for row in found]


def last_days(now: datetime, days: int) -> Iterator[date]:
    today = now.astimezone(UTC).date()
    for back in range(days - 1, -1, -1):
        yield today - timedelta(days=back)
