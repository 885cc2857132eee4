"""Times by the clock: a cron expression of five fields in a time zone, its mistakes, and when it comes next."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from app.errors import Complaint, shorten_name

LONGEST_CRON: Final = 100  # characters
# Each field with what it may hold.
FIELDS: Final = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or L for the last"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of the week", "0 to 7 (both Sunday), or SUN to SAT"),
)
SHAPE: Final = "minute, hour, day of the month, month and day of the week, such as `30 2 * * MON-FRI`"
HOUR_SECONDS: Final = 3_600
ANY_MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)


class CronTimes(CronSim):
    """The library goes from hour to hour by 60 minutes. Where clocks are put forward by half an hour, as on Lord Howe
    Island, it would go on at half past, and leave out the beginning of the next hour."""

    def tick(self, seconds: int = 1) -> None:
        super().tick(seconds - self.dt.minute * 60 if seconds == HOUR_SECONDS else seconds)


def find_cron_mistakes(cron: str) -> Iterator[Complaint]:
    """What is wrong with the expression: each field that is, or that it never comes."""
    fields = cron.split()
    if len(cron) > LONGEST_CRON or len(fields) != len(FIELDS):
        yield Complaint("cron", f"`cron` must have five fields, separated by spaces: {SHAPE}")
        return
    wrong = False
    for index, (name, choices) in enumerate(FIELDS):
        alone = ["*"] * len(FIELDS)
        alone[index] = fields[index]
        if not is_readable(" ".join(alone)):
            wrong = True
            given = shorten_name(fields[index])
            yield Complaint("cron", f'The {name} of `cron` must be {choices}, and "{given}" is not')
    if not wrong and not (is_readable(cron) and list_next(cron, "UTC", after=ANY_MOMENT, count=1)):
        yield Complaint("cron", "`cron` never comes: none of its months has such a day")


def is_readable(cron: str) -> bool:
    try:
        CronSim(cron, ANY_MOMENT)
    except (CronSimError, ValueError, AssertionError):
        return False
    return True


def find_zone_mistakes(timezone: str) -> Iterator[Complaint]:
    if timezone not in list_zones():
        given = shorten_name(timezone)
        yield Complaint(
            "timezone", f'`timezone` must be a time zone of the IANA such as `Europe/Amsterdam`, and "{given}" is none'
        )


@cache
def list_zones() -> frozenset[str]:
    """The zones that every machine knows, because they are in the package `tzdata`. What a machine has beside it, such
    as `localtime`, means something else on the next one."""
    return frozenset((resources.files("tzdata") / "zones").read_text().split())


def find_next(cron: str, timezone: str, *, after: datetime) -> datetime | None:
    """The first moment after that one, in UTC; None if there is none within 50 years."""
    return next(iter(list_next(cron, timezone, after=after, count=1)), None)


def list_next(cron: str, timezone: str, *, after: datetime, count: int) -> list[datetime]:
    """The next moments in UTC."""
    return list(islice(iterate(cron, timezone, after), count))


def iterate(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """A time that the clocks leave out comes as soon as they have been put forward, and one that comes twice comes the
    first time. Of every minute or hour (`*`, `*/5`) each real one comes. In an hour that comes twice the library begins
    before `after`, so that is left out here."""
    for moment in CronTimes(cron, after.astimezone(ZoneInfo(timezone))):
        at = moment.astimezone(UTC)
        if at > after:
            yield at
            after = at
