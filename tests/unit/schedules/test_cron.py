"""When a cron expression comes next, also where clocks are moved, and what is wrong with one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schedules.cron import find_cron_mistakes, find_next, find_zone_mistakes, list_next
from tests.support.sweeps import examples

AMSTERDAM, NEW_YORK, LORD_HOWE = "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe"


def coming(cron: str, timezone: str, after: str, count: int = 3) -> list[str]:
    """The next times by the clocks of the zone; `after` is in UTC."""
    moments = list_next(cron, timezone, after=datetime.fromisoformat(after).replace(tzinfo=UTC), count=count)
    return [each.astimezone(ZoneInfo(timezone)).strftime("%m-%d %H:%M%z") for each in moments]


@pytest.mark.parametrize(
    ("cron", "timezone", "after", "expected"),
    [
        ("30 2 * * MON-FRI", "UTC", "2026-11-27T02:30", ["11-30 02:30+0000", "12-01 02:30+0000", "12-02 02:30+0000"]),
        # Clocks are put forward from 2:00 to 3:00: what the night leaves out comes at 3:00, once.
        ("30 2 * * *", AMSTERDAM, "2027-03-27T12:00", ["03-28 03:00+0200", "03-29 02:30+0200", "03-30 02:30+0200"]),
        ("0,30 2 * * *", AMSTERDAM, "2027-03-27T12:00", ["03-28 03:00+0200", "03-29 02:00+0200", "03-29 02:30+0200"]),
        ("30 2 * * *", NEW_YORK, "2027-03-13T12:00", ["03-14 03:00-0400", "03-15 02:30-0400", "03-16 02:30-0400"]),
        # They are put back from 3:00 to 2:00: what comes twice comes the first time only.
        ("30 2 * * *", AMSTERDAM, "2026-10-24T12:00", ["10-25 02:30+0200", "10-26 02:30+0100", "10-27 02:30+0100"]),
        ("30 1 * * *", NEW_YORK, "2026-10-31T12:00", ["11-01 01:30-0400", "11-02 01:30-0500", "11-03 01:30-0500"]),
        # Asked between the two, when the first has been.
        ("30 2 * * *", AMSTERDAM, "2026-10-25T01:10", ["10-26 02:30+0100", "10-27 02:30+0100", "10-28 02:30+0100"]),
        # Of every hour each real one comes.
        ("0 * * * *", AMSTERDAM, "2026-10-24T23:30", ["10-25 02:00+0200", "10-25 02:00+0100", "10-25 03:00+0100"]),
        ("0 * * * *", AMSTERDAM, "2027-03-27T23:30", ["03-28 01:00+0100", "03-28 03:00+0200", "03-28 04:00+0200"]),
        # Half an hour.
        ("15 2 * * *", LORD_HOWE, "2026-10-03T10:00", ["10-04 02:30+1100", "10-05 02:15+1100", "10-06 02:15+1100"]),
        ("45 1 * * *", LORD_HOWE, "2026-04-04T10:00", ["04-05 01:45+1100", "04-06 01:45+1030", "04-07 01:45+1030"]),
        ("*/30 3 * * *", LORD_HOWE, "2026-10-03T10:00", ["10-04 03:00+1100", "10-04 03:30+1100", "10-05 03:00+1100"]),
        ("*/15 1 * * *", LORD_HOWE, "2026-04-04T14:40", ["04-05 01:45+1100", "04-05 01:30+1030", "04-05 01:45+1030"]),
    ],
)
def test_a_time_by_the_clock_comes_once(cron: str, timezone: str, after: str, expected: list[str]) -> None:
    assert coming(cron, timezone, after) == expected


TURNS = [datetime(2026, 10, 25, tzinfo=UTC), datetime(2027, 3, 28, tzinfo=UTC), datetime(2026, 10, 3, 15, tzinfo=UTC)]
FIELD = st.sampled_from(["*", "*/7", "*/30", "0", "30", "0,15,45", "5-20/5"])
HOURS = st.sampled_from(["*", "*/3", "1", "2", "2,3", "1-4", "0"])


@given(
    FIELD, HOURS, st.sampled_from([AMSTERDAM, NEW_YORK, LORD_HOWE, "UTC"]), st.sampled_from(TURNS), st.integers(0, 300)
)
@settings(max_examples=examples(40))
def test_from_whatever_moment_one_asks_the_same_times_come(
    minute: str, hour: str, timezone: str, turn: datetime, minutes: int
) -> None:
    """So a schedule that is looked at late, or twice, neither leaves out a time nor starts it again."""
    cron, after = f"{minute} {hour} * * *", turn - timedelta(hours=3)
    whole = list_next(cron, timezone, after=after, count=400)
    assert whole == sorted(set(whole))
    asked = after + timedelta(minutes=minutes)
    assert find_next(cron, timezone, after=asked) == next(each for each in whole if each > asked)


@pytest.mark.parametrize(
    ("cron", "reasons"),
    [
        ("61 * * * *", ['The minute of `cron` must be 0 to 59, and "61" is not']),
        ("0 24 * * MON-FIR", [
            'The hour of `cron` must be 0 to 23, and "24" is not',
            'The day of the week of `cron` must be 0 to 7 (both Sunday), or SUN to SAT, and "MON-FIR" is not',
        ]),
        ("* * 0 * *", ['The day of the month of `cron` must be 1 to 31, or L for the last, and "0" is not']),
        ("* * * 13 *", ['The month of `cron` must be 1 to 12, or JAN to DEC, and "13" is not']),
        ("0 0 30 2 *", ["`cron` never comes: none of its months has such a day"]),
        ("0 0 L 2 *", []),
        ("0 0 29 2 MON", []),
    ],
)  # fmt: skip
def test_the_field_that_is_wrong_is_named(cron: str, reasons: list[str]) -> None:
    assert [each.reason for each in find_cron_mistakes(cron)] == reasons


@pytest.mark.parametrize("cron", ["", "* * * *", "0 * * * * *", "@daily", "0 " * 5 + " " * 200])
def test_an_expression_has_five_fields(cron: str) -> None:
    (complaint,) = find_cron_mistakes(cron)
    assert complaint.reason.startswith("`cron` must have five fields, separated by spaces: minute, hour,")


@given(st.text(st.sampled_from("0123456789*/,-#LWMONSU ²\0"), max_size=40))
@settings(max_examples=examples(200))
def test_any_text_is_read_or_refused(cron: str) -> None:
    if not list(find_cron_mistakes(cron)):
        assert find_next(cron, AMSTERDAM, after=TURNS[0]) is not None


@pytest.mark.parametrize(
    "timezone", ["", "Europe", "../etc/passwd", "right/UTC", "localtime", "Amsterdam", "CEST", "\0"]
)
def test_a_zone_that_does_not_exist_is_refused(timezone: str) -> None:
    assert [each.path for each in find_zone_mistakes(timezone)] == ["timezone"]
    assert not list(find_zone_mistakes(AMSTERDAM))
