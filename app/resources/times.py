"""Dates and times in ISO 8601, checked against the calendar; times are stored in UTC with their fraction as sent."""

import re
from datetime import date, datetime, timedelta

from app.resources.conversion import BadCell, type_error

NOT_DATE = type_error("The value is not a date: dates must look like 2026-01-31")
NOT_DATETIME = type_error("The value is not a date or date-time in ISO 8601, such as 2026-01-31T12:00:00Z")

# The next two are for what a person takes for a date.
FOREIGN_DATE = type_error(
    "The value looks like a date, but its order or separators are not read. Write it like 2026-01-31"
)
FOREIGN_DATETIME = type_error(
    "The value looks like a date, but its order or separators are not read. Write it like 2026-01-31T10:00:00Z"
)
_match_foreign = re.compile(
    r"\s*(?![0-9]{4}-[0-9]{2}-[0-9]{2})[0-9]{1,4}([./-])[0-9]{1,2}\1[0-9]{1,4}\.?(?:[T ,]+[0-9].{,40})?\s*"
).fullmatch
parse_date = date.fromisoformat
_match_datetime = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})([.,][0-9]{1,9})?)?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?)?)?"
).fullmatch


def convert_date(text: str) -> str | BadCell:
    if len(text) != 10:
        text = text.strip()
    # fromisoformat also accepts 20240501 and 2024-W18-3; the two hyphens and the length rule these out.
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        return FOREIGN_DATE if _match_foreign(text) else NOT_DATE
    try:
        parse_date(text)
    except ValueError:
        return NOT_DATE
    return f'"{text}"'


def convert_day(text: str) -> str | BadCell:
    """The date, or the date part of a time as it is written there: a birthday has no time zone."""
    converted = convert_date(text)
    if isinstance(converted, BadCell) and not isinstance(convert_datetime(text), BadCell):
        return f'"{text.strip()[:10]}"'
    return converted


def convert_datetime(text: str) -> str | BadCell:
    """A time without an offset is taken as UTC, a date as its midnight in UTC."""
    parts = _match_datetime(text.strip())
    if parts is None:
        return FOREIGN_DATETIME if _match_foreign(text) else NOT_DATETIME
    day, clock, seconds, fraction, sign, hours, minutes = parts.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}:{seconds or '00'}")
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
            moment = moment - offset if sign == "+" else moment + offset
    except (ValueError, OverflowError):  # no such day or time, or not between the years 1 and 9999 in UTC
        return NOT_DATETIME
    # An offset is whole minutes, so the digits of the fraction need no arithmetic.
    return f'"{moment.isoformat()}{(fraction or "").replace(",", ".")}Z"'
