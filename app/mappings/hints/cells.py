"""Hints about cells: decimal commas, dates in another order, words for true and false, options that were misspelled."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from app.mappings.hints.hint import Cure, Evidence
from app.mappings.notations.date_formats import has_time
from app.mappings.suggesting.guesses import DAYS, TIMES, compile_once, find_truth, share_of_fitting
from app.resources.canonical import fold
from app.resources.schema import Field

ISO: Final = ("YYYY-MM-DD",)
ISO_SWAPPED: Final = ("YYYY-DD-MM",)
SWAPPED: Final = str.maketrans("DM", "MD")
PAIRS_TOLD: Final = 3
LEAST_LETTERS: Final = 5  # of an option that may have been meant by a misspelled one

# At least one of the values cannot be more than a thousand: `1,234` may be both.
_surely_decimal = re.compile(r",(?![0-9]{3}\s*$)[0-9]+\s*$").search
_match_point = re.compile(r"\s*[+-]?[0-9]+\.[0-9]+\s*").fullmatch


def find_decimal_comma(evidence: Evidence) -> Cure | None:
    asked = {**evidence.conversions, "decimalComma": True}
    surely = any(map(_surely_decimal, evidence.written))
    if not surely or "decimalComma" in evidence.conversions or not fits_all(evidence, asked):
        return None
    return Cure(changes=({"decimalComma": True},))


def find_thousands(evidence: Evidence) -> Cure | None:
    """A decimal comma beside points for thousands: `1.234` has been read as a little more than one."""
    grouped = any("." in value for value in evidence.written)
    return find_decimal_comma(evidence) if grouped else None


def find_decimal_point(evidence: Evidence) -> Cure | None:
    """Where the mapping says decimal comma. Others of the column, such as `1.234`, have been read as thousands."""
    asked = {name: value for name, value in evidence.conversions.items() if name != "decimalComma"}
    if asked == evidence.conversions or not all(map(_match_point, evidence.written)) or not fits_all(evidence, asked):
        return None
    return Cure(changes=({"decimalComma": False},))


def find_date_format(evidence: Evidence) -> Cure | None:
    """Dates that none of the good rows can have been read from."""
    asked = evidence.conversions.get("dateFormat", "")
    pattern = find_pattern(evidence, [*DAYS, *([ISO] if asked else [])])
    if not pattern or is_swapped(pattern, asked):
        return None
    return Cure({"pattern": pattern}, ({"dateFormat": pattern},))


def find_swapped(evidence: Evidence) -> Cure | None:
    """Day and month in the other order than they were read. Rows with days up to 12 have gone in with a wrong date."""
    asked = evidence.conversions.get("dateFormat", "")
    pattern = find_pattern(evidence, DAYS if asked else [ISO_SWAPPED])
    if not pattern or (asked and not is_swapped(pattern, asked)):
        return None
    return Cure({"pattern": pattern}, ({"dateFormat": pattern},))


def find_pattern(evidence: Evidence, ways: Sequence[Sequence[str]]) -> str:
    """The one way of writing that reads every value; "" if there is none, or nobody can say which it is: 3/4/2026."""
    timed = evidence.field is not None and evidence.field.type == "datetime"
    asked = str(evidence.conversions.get("dateFormat", ""))
    times = TIMES if timed and not (asked and not has_time(asked)) else ("",)
    fitting = []
    for way in ways:
        patterns = (day + time for time in times for day in way)
        fitting += [next((each for each in patterns if reads_all(each, evidence.written, timed=timed)), "")]
    found = list(filter(None, fitting))
    return found[0] if len(found) == 1 else ""


def reads_all(pattern: str, values: Sequence[str], *, timed: bool) -> bool:
    read = compile_once(pattern, timed).read
    return bool(values) and all(read(value) is not None for value in values)


def is_swapped(pattern: str, other: str) -> bool:
    """Whether one is the other with day and month in each other's place, with one digit or two."""
    return shorten_parts(pattern).translate(SWAPPED) == shorten_parts(other)


def shorten_parts(pattern: str) -> str:
    return pattern.replace("MM", "M").replace("DD", "D")


def fits_all(evidence: Evidence, conversions: dict[str, object]) -> bool:
    values, field = evidence.written, evidence.field
    return bool(values) and field is not None and share_of_fitting(values, field, conversions) == 1


def find_words(evidence: Evidence) -> Cure | None:
    """Words of other languages for true and false."""
    return build_pairs(evidence, find_truth, all_of_them=True)


def find_option(evidence: Evidence) -> Cure | None:
    field = evidence.field
    return build_pairs(evidence, lambda value: find_nearest(value, field)) if field else None


def build_pairs(evidence: Evidence, find: Callable[[str], str], *, all_of_them: bool = False) -> Cure | None:
    """What each value was probably meant to be, as corrections of single values."""
    pairs = [(value, find(value)) for value in evidence.seen]
    meant = [(value, to) for value, to in pairs if to]
    if not meant or (all_of_them and len(meant) < len(pairs)):
        return None
    told = [f'`{to}` for "{value}"' for value, to in meant[:PAIRS_TOLD]]
    more = len(meant) - len(told)
    words = ", ".join(told) + (f" and {more} more" if more else "")
    return Cure({"pairs": words}, tuple({"from": value, "to": to} for value, to in meant))


def find_nearest(value: str, field: Field) -> str:
    """The option that differs in case, accents, blanks and punctuation alone; else the one that has one letter more,
    less or other. "" if there is none, or more than one: `inactive` is not `active`."""
    reduced = reduce_option(value)
    same = [option for option in field.options if reduce_option(option) == reduced]
    alike = same or [option for option in field.options if is_misspelled(reduced, reduce_option(option))]
    return alike[0] if len(alike) == 1 and reduced else ""


def reduce_option(text: str) -> str:
    return "".join(filter(str.isalnum, fold(text)))


def is_misspelled(text: str, option: str) -> bool:
    """Whether one letter, and not the first one, makes the difference, or two letters have changed places."""
    if min(len(text), len(option)) < LEAST_LETTERS or text[0] != option[0] or not (text + option).isalpha():
        return False
    return option in edits(text) or text in edits(option) or differ_in_one(text, option)


def edits(text: str) -> Iterator[str]:
    """The text without one of its letters, and with two neighbours in each other's place."""
    for at in range(1, len(text)):
        yield text[:at] + text[at + 1 :]
        yield text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :]


def differ_in_one(text: str, other: str) -> bool:
    return len(text) == len(other) and sum(a != b for a, b in zip(text, other, strict=True)) == 1
