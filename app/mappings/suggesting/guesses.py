"""Guesses how the cells of a column have to be converted before its field takes them: 12,50 or 31.12.2026 or "ja"."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

from app.mappings.conversions import CASES, compile_conversions
from app.mappings.mapping import Conversions
from app.mappings.notations.date_formats import DateFormat, compile_pattern
from app.resources.field_types import BadCell, compile_cell
from app.resources.schema import Field

# Ways to write a day, each strict and then with days and months of one digit. If two ways fit, nobody can say which it
# is: 3/4/2026.
DAYS: Final = (
    ("DD.MM.YYYY", "D.M.YYYY"),
    ("DD/MM/YYYY", "D/M/YYYY"),
    ("MM/DD/YYYY", "M/D/YYYY"),
    ("DD-MM-YYYY", "D-M-YYYY"),
    ("MM-DD-YYYY", "M-D-YYYY"),
    ("YYYY/MM/DD", "YYYY/M/D"),
    ("YYYY.MM.DD", "YYYY.M.D"),
    ("YYYYMMDD",),
    ("DD.MM.YY", "D.M.YY"),
    ("DD/MM/YY", "D/M/YY"),
    ("MM/DD/YY", "M/D/YY"),
)
TIMES: Final = ("", " HH:mm", " HH:mm:ss", " H:mm")
# fmt: off
WORDS: Final = {
    "true": frozenset({
        "true", "yes", "y", "1", "on", "x", "ja", "j", "wahr", "aktiv", "oui", "o", "vrai", "si", "sí", "s", "sì",
        "verdadero", "vero", "waar", "sim", "tak",
    }),
    "false": frozenset({
        "false", "no", "n", "0", "off", "nein", "falsch", "inaktiv", "non", "faux", "falso", "nee", "onwaar", "não",
        "nie",
    }),
}
# fmt: on
MOST_VALUES_READ: Final = 0.9  # is the least share of them that a conversion has to read
FIRST_VALUES: Final = 3
SEPARATORS: Final = (";", ",")
SEPARATED_SHARE: Final = 0.5  # of the values that have the separator

_word = re.compile(r"[0-9A-Za-z]+")
_surely_decimal = re.compile(r",(?![0-9]{3}\s*$)[0-9]+\s*$")  # `1,234` may be more than a thousand


def leave_separators(text: str) -> str:
    """What is between the digits of a date, and between the letters of the pattern that reads it."""
    return _word.sub("", text.strip())


PATTERNS: Final = {
    (day, time): [(pattern + time, leave_separators(pattern + time)) for pattern in day]
    for day in DAYS
    for time in TIMES
}


def guess_conversions(field: Field, values: Sequence[str]) -> Conversions:
    """What a column of these values, none blank, needs; empty if it needs nothing, or nothing helps."""
    guess = GUESSES.get(field.type)
    if guess is None or not values or (field.type != "list" and share_of_fitting(values, field) == 1):
        return {}
    guessed = guess(field, values)
    return guessed if share_of_fitting(values, field, guessed) >= MOST_VALUES_READ else {}


def share_of_fitting(values: Sequence[str], field: Field, conversions: Conversions | None = None) -> float:
    """Which part of the values the field takes, once they are converted; 1 if there are none."""
    change = compile_conversions(conversions or {}, field)
    convert = compile_cell(field)
    read = change(values) if change else values
    fitting = sum(isinstance(text, str) and not isinstance(convert(text), BadCell) for text in read)
    return fitting / len(values) if values else 1.0


def guess_decimal_comma(_field: Field, values: Sequence[str]) -> Conversions:
    return {"decimalComma": True} if any(map(_surely_decimal.search, values)) else {}


def guess_date_format(field: Field, values: Sequence[str]) -> Conversions:
    """The way of writing that reads more of the values than any other does."""
    times = TIMES if field.type == "datetime" else ("",)
    written = {leave_separators(value) for value in values[:FIRST_VALUES]}
    best, read_by_best, read_by_next = "", 0, 0
    for day in DAYS:
        patterns = [each for time in times for each, separators in PATTERNS[day, time] if separators in written]
        counted = ((each, count_read(each, field, values)) for each in patterns)
        pattern, read = max(counted, key=itemgetter(1), default=("", 0))
        if read > read_by_best:
            best, read_by_best, read_by_next = pattern, read, read_by_best
        else:
            read_by_next = max(read, read_by_next)
    return {"dateFormat": best} if read_by_best > read_by_next else {}


def count_read(pattern: str, field: Field, values: Sequence[str]) -> int:
    """How many of the values are written so; 0 if none of the first ones is."""
    read = compile_once(pattern, field.type == "datetime").read
    if all(read(value) is None for value in values[:FIRST_VALUES]):
        return 0
    return sum(read(value) is not None for value in values)


@lru_cache(maxsize=256)
def compile_once(pattern: str, timed: bool) -> DateFormat:
    return compile_pattern(pattern, timed=timed)


def guess_truth(_field: Field, values: Sequence[str]) -> Conversions:
    meanings = {value: find_truth(value) for value in values}
    return {"values": meanings} if all(meanings.values()) and len(meanings) <= len(WORDS) else {}


def find_truth(value: str) -> str:
    word = value.strip().casefold()
    return next((truth for truth, words in WORDS.items() if word in words), "")


def guess_case(field: Field, values: Sequence[str]) -> Conversions:
    options = frozenset(field.options)
    fitting = [name for name, change in CASES.items() if {change(value) for value in values} <= options]
    return {"case": fitting[0]} if fitting else {}


def guess_separator(field: Field, values: Sequence[str]) -> Conversions:
    if any(field.separator in value for value in values):
        return {}
    for separator in SEPARATORS:
        if sum(separator in value for value in values) >= len(values) * SEPARATED_SHARE:
            return {"separator": separator}
    return {}


GUESSES: Final[Mapping[str, Callable[[Field, Sequence[str]], Conversions]]] = {
    "decimal": guess_decimal_comma,
    "date": guess_date_format,
    "datetime": guess_date_format,
    "boolean": guess_truth,
    "enum": guess_case,
    "list": guess_separator,
}
