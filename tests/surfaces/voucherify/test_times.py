"""Times in a query: every spelling of the vendor's SDKs is parsed, and what is not a time is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Refused
from app.surfaces.voucherify.translate.times import format_exactly, parse_time

AT = datetime(2022, 11, 16, 14, 14, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "spelled",
    [
        "2022-11-16T14:14:31Z",
        "2022-11-16T14:14:31z",
        "2022-11-16T14:14:31.000Z",
        "2022-11-16T14:14:31.000000000Z",
        "2022-11-16T14:14:31",
        "2022-11-16 14:14:31",
        "2022-11-16T14:14:31+00:00",
        "2022-11-16T14:14:31-00:00",
        "2022-11-16T14:14:31+00",
        "2022-11-16T15:44:31+01:30",
        "2022-11-16T07:14:31-0700",
        "2022-11-16T14:14:31.000000+0000",  # Python's SDK
        "2022-11-16T14:14:31.000000 0000",  # the same with its plus decoded
        "2022-11-16T16:14:31 02:00",
        "2022-11-16 14:14:31 UTC",  # Ruby's SDK
        "2022-11-16 16:14:31 +0200",  # Ruby's, elsewhere
        "2022-11-16 16:14:31  0200",  # the same with its plus decoded
        "2022-11-16 07:14:31 -0700",
        " 2022-11-16T14:14:31Z ",
    ],
)
def test_a_time_is_parsed_in_every_spelling_of_an_sdk(spelled: str) -> None:
    assert parse_time(spelled, "end_date") == AT


def test_a_date_means_its_first_moment_in_utc() -> None:
    assert parse_time("2022-11-16", "end_date") == AT.replace(hour=0, minute=0, second=0)


def test_a_time_of_day_after_a_space_is_not_taken_for_an_offset() -> None:
    assert parse_time("2022-11-16 02:00", "end_date") == AT.replace(hour=2, minute=0, second=0)


def test_of_nine_decimals_the_first_six_count() -> None:
    assert parse_time("2022-11-16T14:14:31.123456789Z", "end_date") == AT.replace(microsecond=123456)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "yesterday",
        "2022-13-01",
        "2022-02-30T00:00:00Z",
        "2022-11-16T25:00:00Z",
        "2022-11-16T14:14:60Z",
        "2022-11-16 0000",
        "2022-11-16T14:14:31+24:00",
        "2022-11-16T14:14:31 CET",
        "2022-11-16T14:14:31.1234567890Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "16-11-2022",
        "1668608071000",
        "٢٠٢٢-11-16",
    ],
)
def test_a_text_that_is_not_a_time_is_refused_with_the_name_of_its_parameter(text: str) -> None:
    with pytest.raises(Refused, match=r"^Property \.end_date cannot be recognized as a ISO-8601 compliant date$") as no:
        parse_time(text, "end_date")
    assert (no.value.code, no.value.facts) == ("invalid", {"in": "query"})


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_formatted_time_is_parsed_as_the_same_time(at: datetime) -> None:
    assert len(format_exactly(at)) == len("2022-11-16T14:14:31.123456Z")
    assert parse_time(format_exactly(at), "starting_after") == at


def test_a_time_is_formatted_in_utc_with_six_decimals() -> None:
    madrid = timezone(timedelta(hours=1))
    assert format_exactly(AT.replace(hour=15, tzinfo=madrid)) == "2022-11-16T14:14:31.000000Z"
