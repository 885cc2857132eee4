"""Tells of a whole column that its field stores every text as it is, by one look at all of them together.

Most columns are so, and a pattern over 10,000 cells takes a fifth of the time of 10,000 calls. What it does not know
for sure is left to the conversion of each cell (`field_types.py`), which has the last word.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from app.resources.conversion import quote_json
from app.resources.email import PLAIN_ADDRESS, QUICK_LENGTH
from app.resources.numbers import JSON_DECIMAL, JSON_INTEGER, MAX_DIGITS
from app.resources.schema import Field
from app.resources.texts import PHONE, URL
from app.resources.times import parse_date

# Whether none of these texts needs more than quotes around it, or nothing at all in a type of UNQUOTED.
AreVerbatim = Callable[[Sequence[str]], bool]

UNQUOTED: Final = frozenset({"integer", "decimal", "boolean"})
NUL_ESCAPE: Final = len("\\u0000") - 1  # what a NUL is longer in JSON


def match_each(cell: str) -> Callable[[str], object]:
    """Matches texts that each are followed by NUL."""
    return re.compile(rf"(?:(?:{cell})\0)*+").fullmatch


_match_emails = match_each(PLAIN_ADDRESS)
_match_phones = match_each(PHONE)
_match_five_digits = match_each(r"(?:[^0-9\0]*+[0-9]){5}[^\0]*+")
_match_urls = match_each(URL)
_match_days = match_each(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_match_integers = match_each(JSON_INTEGER)
_match_decimals = match_each(JSON_DECIMAL)


def compile_column(field: Field) -> AreVerbatim | None:
    """None: the field has no such look."""
    build = COLUMNS.get(field.type)
    return build(field) if build else None


def compile_texts(field: Field) -> AreVerbatim | None:
    return None if field.alias_of else within_length(field, lambda texts: "" not in texts and are_unescaped(texts))


def compile_emails(field: Field) -> AreVerbatim:
    return within_length(field, lambda texts: match_all(_match_emails, texts) and max(map(len, texts)) <= QUICK_LENGTH)


def compile_phones(field: Field) -> AreVerbatim:
    if field.lenient:
        return within_length(field, lambda texts: match_all(_match_five_digits, texts) and are_unescaped(texts))
    return within_length(field, lambda texts: match_all(_match_phones, texts))


def compile_urls(field: Field) -> AreVerbatim:
    return within_length(field, lambda texts: match_all(_match_urls, texts) and are_unescaped(texts))


def compile_options(field: Field) -> AreVerbatim:
    options = frozenset(option for option in field.options if option and are_unescaped([option]))
    return within_length(field, options.issuperset)


def compile_days(_field: Field) -> AreVerbatim:
    return lambda texts: match_all(_match_days, texts) and are_in_calendar(texts)


def compile_booleans(_field: Field) -> AreVerbatim:
    return frozenset({"true", "false"}).issuperset


def compile_integers(field: Field) -> AreVerbatim:
    return within_range(field, _match_integers, int)


def compile_decimals(field: Field) -> AreVerbatim:
    return within_range(field, _match_decimals, Decimal)


def within_length(field: Field, are_verbatim: AreVerbatim) -> AreVerbatim:
    limit = field.max_length
    if limit is None:
        return are_verbatim
    return lambda texts: max(map(len, texts)) <= limit and are_verbatim(texts)


def within_range(field: Field, match: Callable[[str], object], read: Callable[[str], int | Decimal]) -> AreVerbatim:
    low, high = field.min, field.max

    def are_verbatim(texts: Sequence[str]) -> bool:
        if not match_all(match, texts) or max(map(len, texts)) > MAX_DIGITS:
            return False
        numbers = list(map(read, texts)) if low is not None or high is not None else ()
        return not numbers or ((low is None or min(numbers) >= low) and (high is None or max(numbers) <= high))

    return are_verbatim


def match_all(match: Callable[[str], object], texts: Sequence[str]) -> bool:
    together = "\0".join((*texts, ""))
    return match(together) is not None and together.count("\0") == len(texts)


def are_unescaped(texts: Sequence[str]) -> bool:
    """Whether nothing in the texts is escaped in JSON, nor is a NUL."""
    together = "\0".join(texts)
    return len(quote_json(together)) == len(together) + len('""') + NUL_ESCAPE * (len(texts) - 1)


def are_in_calendar(days: Sequence[str]) -> bool:
    try:
        return all(map(parse_date, days))
    except ValueError:
        return False


COLUMNS: Final[dict[str, Callable[[Field], AreVerbatim | None]]] = {
    "text": compile_texts,
    "email": compile_emails,
    "phone": compile_phones,
    "url": compile_urls,
    "enum": compile_options,
    "date": compile_days,
    "boolean": compile_booleans,
    "integer": compile_integers,
    "decimal": compile_decimals,
}
