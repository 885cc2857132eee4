"""How often a schedule starts, in words and in the fields of a form: the commonest cases without a cron expression."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.errors import Complaint

SHOWN_RUNS: Final = 3
DAYS: Final = {"day": "*", "weekdays": "MON-FRI"}  # the last field of cron
# (value, words, sentence) of the choices of a form.
RHYTHMS: Final = (
    ("day", "Every day", ""),
    ("weekdays", "Monday to Friday", ""),
    ("hour", "Every hour", "At the minutes of the time below."),
    ("cron", "Something else", "By a cron expression."),
)
NOT_A_TIME: Final = "The time must be hours and minutes, such as 02:30"
match_time = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])").fullmatch
match_daily = re.compile(r"([0-9]{1,2}) ([0-9]{1,2}) \* \* (\*|MON-FRI)").fullmatch
match_hourly = re.compile(r"([0-9]{1,2}) \* \* \* \*").fullmatch


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The fields of the form. `time` is as `02:30`; `cron` counts for the rhythm of that name only."""

    rhythm: str
    time: str
    cron: str

    def build_cron(self) -> tuple[str, list[Complaint]]:
        """The expression, and what is wrong with the time. A cron expression is checked where it is declared."""
        if self.rhythm == "cron":
            return self.cron, []
        found = match_time(self.time)
        if found is None:
            return "", [Complaint("time", NOT_A_TIME)]
        hour, minute = int(found[1]), int(found[2])
        if self.rhythm == "hour":
            return f"{minute} * * * *", []
        return f"{minute} {hour} * * {DAYS.get(self.rhythm, '*')}", []


def read_cron(cron: str) -> Rhythm:
    daily, hourly = match_daily(cron), match_hourly(cron)
    if daily:
        return Rhythm("day" if daily[3] == "*" else "weekdays", f"{int(daily[2]):02}:{int(daily[1]):02}", cron)
    if hourly:
        return Rhythm("hour", f"00:{int(hourly[1]):02}", cron)
    return Rhythm("cron", "", cron)


def describe_cron(cron: str, timezone: str) -> str:
    """ "Every day at 02:30, Europe/Amsterdam"."""
    found = read_cron(cron)
    words = {
        "day": f"Every day at {found.time}",
        "weekdays": f"Monday to Friday at {found.time}",
        "hour": f"Every hour at {found.time[2:]}",
        "cron": f"Cron {cron}",
    }[found.rhythm]
    return f"{words}, {timezone}"


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A start to come: by the schedule's clock and in UTC."""

    local: str
    utc: str


def describe_upcoming(moments: Iterable[datetime], timezone: str) -> list[Upcoming]:
    return [Upcoming(write_local(each, timezone), f"{each.astimezone(UTC):%H:%M} UTC") for each in moments]


def write_local(moment: datetime, timezone: str) -> str:
    """ "Saturday 28 November, 02:30"."""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M}"
