"""Values that are text in the record: free text, phones, addresses of pages, words of a list; and truth values."""

import re
from decimal import Decimal

from app.resources.conversion import BadCell, Convert, ConvertValue, bad, limited, not_a, quoted
from app.resources.vocabulary import Field

NOT_TEXT = not_a("a text")
NOT_BOOLEAN = not_a("true or false (true, false, 1, 0, yes, no)")
NOT_PHONE = not_a("a phone number (5 to 20 digits, a + before them if wanted, no blanks)")
FEW_DIGITS = not_a("a phone number (at least 5 digits)")
NOT_URL = not_a("an absolute http or https address without blanks")
NOT_LIST = not_a("a list of texts")
OPTIONS_SHOWN = 20
WHOLE = (Decimal, int)  # types that a whole number may have; the type of a truth value is neither

_truth: dict[str, str | BadCell] = {
    "true": "true",
    "1": "true",
    "yes": "true",
    "false": "false",
    "0": "false",
    "no": "false",
}
_whole = re.compile(r"0|-?[1-9][0-9]*").fullmatch
_phone = re.compile(r"\+?[0-9]{5,20}").fullmatch
_any_phone = re.compile(r"(?:[^0-9]*+[0-9]){5}").match
_unseen = r"\s\x00-\x1f\x7f-\x9f"
_url = re.compile(
    rf"(?i:https?)://(?:[^/?#@\\{_unseen}]*@)?"
    rf"(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]\\\"<>{_unseen}]+)(?::[0-9]{{1,5}})?"
    rf"(?:[/?#][^{_unseen}]*)?"
).fullmatch


def text(field: Field) -> Convert:
    return limited(field, quoted)


def boolean_text(text: str) -> str | BadCell:
    return _truth.get(text) or _truth.get(text.strip().lower(), NOT_BOOLEAN)


def text_value(field: Field) -> ConvertValue:
    """A lenient text may be given as a whole number: its digits are the text."""
    convert = text(field)

    def digits(given: object) -> str | BadCell:
        written = str(given) if type(given) in WHOLE else ""
        return convert(written) if _whole(written) else NOT_TEXT

    return digits if field.lenient else lambda _given: NOT_TEXT


def boolean_value(field: Field) -> ConvertValue:
    """A lenient one may be 1 or 0."""

    def truth(given: object) -> str | BadCell:
        if isinstance(given, bool):
            return "true" if given else "false"
        return _truth.get(str(given), NOT_BOOLEAN) if field.lenient and type(given) in WHOLE else NOT_BOOLEAN

    return truth


def phone(field: Field) -> Convert:
    if field.lenient:
        return limited(field, lambda text: quoted(text) if _any_phone(text) else FEW_DIGITS)
    return limited(field, lambda text: f'"{text}"' if _phone(text) else NOT_PHONE)


def url(field: Field) -> Convert:
    return limited(field, lambda text: quoted(text) if _url(text) else NOT_URL)


def enum(field: Field) -> Convert:
    known: dict[str, str | BadCell] = {option: quoted(option) for option in field.options}
    unknown = not_an_option(field)
    return limited(field, lambda text: known.get(text, unknown))


def list_(field: Field) -> Convert:
    separator, items = field.separator, list_items(field)
    return lambda text: items(text.split(separator))


def list_value(field: Field) -> ConvertValue:
    items = list_items(field)
    return lambda given: items(given) if isinstance(given, list) else NOT_LIST


def list_items(field: Field) -> ConvertValue:
    """A list's items trimmed, the empty ones left out, each held to the field's options and length."""
    convert = enum(field) if field.options else text(field)

    def items(given: object) -> str | BadCell:
        written = []
        for item in given if isinstance(given, list) else ():
            if not isinstance(item, str):
                return NOT_LIST
            if item := item.strip():
                one = convert(item)
                if isinstance(one, BadCell):
                    return one
                written.append(one)
        return f"[{','.join(written)}]"

    return items


def not_an_option(field: Field) -> BadCell:
    named = ", ".join(field.options[:OPTIONS_SHOWN])
    return bad("not_an_option", options=named if len(field.options) <= OPTIONS_SHOWN else f"{named}, …")
