"""Spells the value of a cell as text: as the cell says it, not as a country writes it."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

DIGITS: Final = ".15g"  # as many as a spreadsheet shows of a number
MOST_EXACT: Final = 2.0**53  # the whole numbers up to here are stored exactly
HALF_MILLISECOND: Final = timedelta(microseconds=500)
# How .ods stores a duration, which the library passes on as it is.
match_open_document_time = re.compile(r"(-?)PT([0-9]+)H([0-9]{2})M([0-9]{2})(?:[.,][0-9]+)?S").fullmatch


def spell(value: object) -> str:
    """As the cell says it, not as a country writes it: dates as ISO 8601, numbers without separators of thousands."""
    if isinstance(value, str):
        found = match_open_document_time(value) if "PT" in value else None
        return f"{found[1]}{found[2].zfill(2)}:{found[3]}:{found[4]}" if found else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return spell_number(value)
    if isinstance(value, timedelta):
        return spell_duration(value)
    if isinstance(value, datetime):
        return spell_moment(value)
    return value.isoformat() if isinstance(value, date | time) else str(value)


def spell_number(value: float) -> str:
    """0.1 + 0.2 is 0.3, as the spreadsheet shows it, and 4006381333931 has neither a point nor an exponent. A whole
    number keeps all digits that a program has stored, also beyond the 15 that others would show."""
    if value.is_integer() and abs(value) <= MOST_EXACT:
        return str(int(value))
    return f"{Decimal(format(value, DIGITS)):f}"


def spell_moment(value: datetime) -> str:
    """A moment is stored as a fraction of days, which is exact to a millisecond. One at midnight is a date."""
    value = (value + HALF_MILLISECOND).replace(microsecond=(value + HALF_MILLISECOND).microsecond // 1000 * 1000)
    if value.time() == time():
        return value.date().isoformat()
    return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")


def spell_duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    return f"{'-' if seconds < 0 else ''}{abs(seconds) // 3600}:{abs(seconds) // 60 % 60:02}:{abs(seconds) % 60:02}"
