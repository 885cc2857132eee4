"""Whole numbers and decimals: written the invariant way, kept digit for digit, never too large for PostgreSQL."""

import re
from contextlib import suppress
from decimal import Decimal

from app.resources.conversion import BadCell, Convert, ConvertValue, bad, not_a
from app.resources.vocabulary import Field

DIGITS = 1_000  # of a number, before and after the point together
EXPONENT = 1_000  # PostgreSQL raises above 131,072 digits before or 16,383 after the point; this stays far below
LONGEST = DIGITS + len("+.e-1000")

NOT_INTEGER = not_a("a whole number")
NOT_DECIMAL = not_a("a number (digits, one point, no thousands marks)")
TOO_MANY_DIGITS = not_a(f"a number of at most {DIGITS} digits and an exponent of at most {EXPONENT}")

# What JSON writes the same way: nothing to do. The slow patterns take all other spellings.
_plain_integer = re.compile(r"0|-?[1-9][0-9]*").fullmatch
_plain_decimal = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?").fullmatch
_any_integer = re.compile(r"([+-]?)0*([0-9]+)").fullmatch
_any_decimal = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?").fullmatch


def integer(field: Field) -> Convert:
    return bounded(field, integer_text)


def decimal(field: Field) -> Convert:
    return bounded(field, decimal_text)


def bounded(field: Field, convert: Convert) -> Convert:
    if field.min is None and field.max is None:
        return convert
    low, high = quick(field.min), quick(field.max)
    too_small, too_large = bad("too_small", limit=field.min), bad("too_large", limit=field.max)

    def within(text: str) -> str | BadCell:
        written = convert(text)
        if isinstance(written, BadCell):
            return written
        # Exact either way, whatever the context's precision; an int costs a third.
        number = int(written) if written.isdigit() else Decimal(written)
        if low is not None and number < low:
            return too_small
        return too_large if high is not None and number > high else written

    return within


def quick(limit: Decimal | None) -> int | Decimal | None:
    """The same number, as an int where it is one."""
    return int(limit) if limit is not None and limit == limit.to_integral_value() else limit


def integer_text(text: str) -> str | BadCell:
    if _plain_integer(text) and len(text) <= DIGITS:
        return text
    text = text.strip()
    if len(text) > LONGEST:
        return TOO_MANY_DIGITS if text.isdigit() else NOT_INTEGER
    parts = _any_integer(text)
    if parts is None:
        return NOT_INTEGER
    sign, digits = parts.groups()
    if len(digits) > DIGITS:
        return TOO_MANY_DIGITS
    return f"-{digits}" if sign == "-" and digits != "0" else digits


def decimal_text(text: str) -> str | BadCell:
    if _plain_decimal(text) and len(text) <= DIGITS:
        return text
    text = text.strip()
    if len(text) > LONGEST:
        return TOO_MANY_DIGITS if _plain_decimal(text) else NOT_DECIMAL
    parts = _any_decimal(text)
    if parts is None or not (parts[2] or parts[3]):
        return NOT_DECIMAL
    sign, whole, fraction, exponent = parts.groups(default="")
    if len(whole) + len(fraction) > DIGITS or abs(int(exponent or 0)) > EXPONENT:
        return TOO_MANY_DIGITS
    minus, whole = "-" if sign == "-" else "", whole.lstrip("0") or "0"
    return f"{minus}{whole}{'.' if fraction else ''}{fraction}{'e' if exponent else ''}{exponent}"


def number_value(convert: Convert, wrong: BadCell) -> ConvertValue:
    """For a number that JSON Lines gives as a number."""

    def value(given: object) -> str | BadCell:
        written = number_text(given)
        return wrong if written is None else convert(written)

    return value


def number_text(given: object) -> str | None:
    """A JSON number with its digits; None for anything else, and for a number far beyond the limits."""
    if isinstance(given, Decimal) and given.is_finite():
        return decimal_digits(given)
    if isinstance(given, int) and not isinstance(given, bool):
        with suppress(ValueError):  # more digits than Python writes
            return str(given)
    return None


def decimal_digits(number: Decimal) -> str:
    written = str(number)
    # str() turns 0.0000001 into 1E-7, which nobody wrote; both spellings are one Decimal, so the plain one is taken.
    return format(number, "f") if "E-" in written and number.adjusted() >= -50 else written
