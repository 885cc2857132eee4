"""Whole numbers and decimals: written with a decimal point, kept digit for digit, never too large for PostgreSQL."""

import re
from contextlib import suppress
from decimal import Decimal

from app.resources.conversion import BadCell, Convert, ConvertValue, bad_cell, type_error
from app.resources.schema import Field

MAX_DIGITS = 1_000  # of a number, before and after the point together
MAX_EXPONENT = 1_000  # PostgreSQL raises above 131,072 digits before or 16,383 after the point; this stays far below
MAX_LENGTH = MAX_DIGITS + len("+.e-1000")

NOT_INTEGER = type_error("The value is not a whole number")
NOT_DECIMAL = type_error("The value is not a number: use digits and a decimal point, without thousands separators")
FRACTION = type_error("The value is not a whole number: only zeros may follow a decimal point")
AMBIGUOUS_POINT = type_error(
    "The value may be one number or a thousand times that: write whole numbers without a point"
)
COMMA = type_error(
    "The value is not a number: a comma is not read as a decimal sign. Write a decimal point, "
    "and no thousands separators"
)
TOO_MANY_DIGITS = type_error(
    f"The number is too long: at most {MAX_DIGITS} digits and an exponent of at most {MAX_EXPONENT} are allowed"
)

# Spellings that JSON shares need no rewriting. The slower patterns below take all the others.
JSON_INTEGER = r"0|-?[1-9][0-9]*+"
JSON_DECIMAL = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+"
_match_json_integer = re.compile(JSON_INTEGER).fullmatch
_match_json_decimal = re.compile(JSON_DECIMAL).fullmatch
# Possessive: a thousand zeros before a letter took 4 ms to refuse, with every zero tried as the first digit.
_match_integer = re.compile(r"([+-]?)(?:0*+([1-9][0-9]*+)|0++)(?:\.0*+)?").fullmatch
# `1.000` is a thousand to half of Europe, and one to everybody else.
_match_thousands = re.compile(r"\s*[+-]?[1-9][0-9]{0,2}\.000\s*").fullmatch
_match_comma = re.compile(r"[+-]?[0-9][0-9.' \u00a0\u202f]*,[0-9.,' \u00a0\u202f]*").fullmatch
_match_decimal = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?").fullmatch


def compile_integer(field: Field) -> Convert:
    return limit_range(field, convert_integer)


def compile_decimal(field: Field) -> Convert:
    return limit_range(field, convert_decimal)


def limit_range(field: Field, convert: Convert) -> Convert:
    """`convert`, followed by a check against `field.min` and `field.max`."""
    if field.min is None and field.max is None:
        return convert
    low, high = simplify(field.min), simplify(field.max)
    too_small, too_large = bad_cell("too_small", limit=field.min), bad_cell("too_large", limit=field.max)

    def convert_within_range(text: str) -> str | BadCell:
        digits = convert(text)
        if isinstance(digits, BadCell):
            return digits
        # Both are exact, whatever the precision of the decimal context; an int takes a third of the time.
        number = int(digits) if digits.isdigit() else Decimal(digits)
        if low is not None and number < low:
            return too_small
        return too_large if high is not None and number > high else digits

    return convert_within_range


def simplify(limit: Decimal | None) -> int | Decimal | None:
    """The same number, as an int if it is whole."""
    return int(limit) if limit is not None and limit == limit.to_integral_value() else limit


def convert_integer(text: str) -> str | BadCell:
    if _match_json_integer(text) and len(text) <= MAX_DIGITS:
        return text
    return AMBIGUOUS_POINT if "." in text and _match_thousands(text) else convert_whole(text)


def convert_whole(text: str) -> str | BadCell:
    """A whole number where a point is known to be a decimal point. Zeros may follow it: programs that hold numbers as
    floats write 120.0."""
    text = text.strip()
    if len(text) > MAX_LENGTH:
        return TOO_MANY_DIGITS if text.isdigit() else NOT_INTEGER
    parts = _match_integer(text)
    if parts is None:
        return explain_integer(text)
    sign, digits = parts[1], parts[2] or "0"
    if len(digits) > MAX_DIGITS:
        return TOO_MANY_DIGITS
    return f"-{digits}" if sign == "-" and digits != "0" else digits


def explain_integer(text: str) -> BadCell:
    """Why a short text is not a whole number."""
    if _match_comma(text):
        return COMMA
    return FRACTION if _match_json_decimal(text) else NOT_INTEGER


def convert_decimal(text: str) -> str | BadCell:
    if _match_json_decimal(text) and len(text) <= MAX_DIGITS:
        return text
    text = text.strip()
    if _match_json_decimal(text):
        return text if is_written_out(text) else TOO_MANY_DIGITS
    if len(text) > MAX_LENGTH:
        return NOT_DECIMAL
    parts = _match_decimal(text)
    if parts is None or not (parts[2] or parts[3]):
        return COMMA if _match_comma(text) else NOT_DECIMAL
    sign, whole, fraction, exponent = parts.groups(default="")
    if len(whole) + len(fraction) > MAX_DIGITS or abs(int(exponent or 0)) > MAX_EXPONENT:
        return TOO_MANY_DIGITS
    minus, whole = "-" if sign == "-" else "", whole.lstrip("0") or "0"
    return f"{minus}{whole}{'.' if fraction else ''}{fraction}{'e' if exponent else ''}{exponent}"


def is_written_out(number: str) -> bool:
    """Whether a number may have come with an exponent, although it has none: PostgreSQL writes 1e1000 as 1,001 digits.
    Zeros at either end do not count then."""
    digits = number.lstrip("-").replace(".", "")
    return len(digits) <= 2 * MAX_DIGITS + MAX_EXPONENT and len(digits.strip("0")) <= MAX_DIGITS


def compile_number_value(convert: Convert, wrong: BadCell) -> ConvertValue:
    """For a number that JSON Lines gives as a number."""

    def convert_number(value: object) -> str | BadCell:
        digits = format_number(value)
        return wrong if digits is None else convert(digits)

    return convert_number


def compile_integer_value(field: Field) -> ConvertValue:
    """In JSON, 12.000 cannot mean thousands."""
    return compile_number_value(limit_range(field, convert_whole), NOT_INTEGER)


def format_number(value: object) -> str | None:
    """A JSON number with the digits it came with; None for anything else and for a number far beyond the limits."""
    if isinstance(value, Decimal) and value.is_finite():
        return format_decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        with suppress(ValueError):  # more digits than Python is willing to write
            return str(value)
    return None


def format_decimal(number: Decimal) -> str:
    digits = str(number)
    # str() turns 0.0000001 into 1E-7, which nobody wrote. Both are the same Decimal, so the plain spelling is used.
    return format(number, "f") if "E-" in digits and number.adjusted() >= -50 else digits
