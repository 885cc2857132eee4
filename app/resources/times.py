"""Dates and moments: ISO 8601, checked against the calendar; moments are kept in UTC with the fraction given."""

import re
from datetime import date, datetime, timedelta

from app.resources.conversion import BadCell, not_a

NOT_DATE = not_a("a date (YYYY-MM-DD)")
NOT_DATETIME = not_a("a date or date-time of ISO 8601 (such as 2024-05-01T10:00:00Z)")

_day = date.fromisoformat
_moment = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})([.,][0-9]{1,9})?)?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?)?)?"
).fullmatch


def date_text(text: str) -> str | BadCell:
    if len(text) != 10:
        text = text.strip()
    # fromisoformat also takes 20240501 and 2024-W18-3; the two hyphens and the length rule these out.
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        return NOT_DATE
    try:
        _day(text)
    except ValueError:
        return NOT_DATE
    return f'"{text}"'


def day_text(text: str) -> str | BadCell:
    """The day of a date or of a moment, as it is written there: a birthday has no time zone."""
    written = date_text(text)
    if isinstance(written, BadCell) and not isinstance(datetime_text(text), BadCell):
        return f'"{text.strip()[:10]}"'
    return written


def datetime_text(text: str) -> str | BadCell:
    parts = _moment(text.strip())
    if parts is None:
        return NOT_DATETIME
    day, clock, seconds, fraction, sign, hours, minutes = parts.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}:{seconds or '00'}")
        if sign:
            ahead = timedelta(hours=int(hours), minutes=int(minutes or 0))
            moment = moment - ahead if sign == "+" else moment + ahead
    except (ValueError, OverflowError):  # no such day or time; before year 1 or after 9999 once in UTC
        return NOT_DATETIME
    # An offset is whole minutes, so the fraction's digits need no arithmetic.
    return f'"{moment.isoformat()}{(fraction or "").replace(",", ".")}Z"'
