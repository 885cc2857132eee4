"""Values that are stored as text (text, phone, URL, options and lists of them), and true or false."""

import json
import re
from collections.abc import Callable
from decimal import Decimal

from app.errors import join_choices
from app.resources.conversion import BadCell, Convert, ConvertValue, bad_cell, limit_length, quote_json, type_error
from app.resources.numbers import format_number
from app.resources.schema import Field
from app.resources.slugs import compile_slug

NOT_TEXT = type_error("The value must be text")
NOT_BOOLEAN = type_error("The value must be true or false (yes, no, 1 and 0 work too)")
NOT_PHONE = type_error("The value is not a phone number: use 5 to 20 digits, no spaces, optionally with a leading +")
FEW_DIGITS = type_error("The value is not a phone number: it must have at least 5 digits")
NOT_URL = type_error("The value is not a complete web address without spaces, such as https://example.com/page")
NOT_LIST = type_error("The value must be a list of strings")
NOT_KEY = type_error("The value must be the key of a record, which is text or a whole number")
NOT_KEYS = type_error("The value must be a list of the keys of records, which are text or whole numbers")
PAIR = " : "
NOT_PAIR = type_error("Each item of the list must be a name and a value with ` : ` between them")
OPTIONS_SHOWN = 20
WHOLE = (Decimal, int)  # types of a whole number, compared exactly: a truth value has a type of its own, bool

_booleans: dict[str, str | BadCell] = {
    "true": "true",
    "1": "true",
    "yes": "true",
    "false": "false",
    "0": "false",
    "no": "false",
}
_match_integer = re.compile(r"0|-?[1-9][0-9]*").fullmatch
PHONE = r"\+?[0-9]{5,20}+"
_match_phone = re.compile(PHONE).fullmatch
_match_five_digits = re.compile(r"(?:[^0-9]*+[0-9]){5}").match
_invisible = r"\s\x00-\x1f\x7f-\x9f"
URL = (
    rf"(?i:https?+)://(?:[^/?#@\\{_invisible}]*+@)?+"
    rf"(?:\[[0-9A-Fa-f:.]++\]|[^/?#@:\[\]\\\"<>{_invisible}]++)(?::[0-9]{{1,5}}+)?+"
    rf"(?:[/?#][^{_invisible}]*+)?+"
)
_match_url = re.compile(URL).fullmatch


def compile_text(field: Field) -> Convert:
    """A text that names a record is looked for as it is; nothing but blanks names none."""
    if field.alias_of:
        return lambda text: NOT_TEXT if not text or text.isspace() else quote_json(text)
    return limit_length(field, quote_json)


def convert_boolean(text: str) -> str | BadCell:
    return _booleans.get(text) or _booleans.get(text.strip().lower(), NOT_BOOLEAN)


def compile_text_value(field: Field) -> ConvertValue:
    """A lenient text may be given as a whole number; its digits become the text."""
    convert = compile_text(field)

    def convert_digits(value: object) -> str | BadCell:
        digits = str(value) if type(value) in WHOLE else ""
        return convert(digits) if _match_integer(digits) else NOT_TEXT

    return convert_digits if field.lenient else lambda _value: NOT_TEXT


def compile_boolean_value(field: Field) -> ConvertValue:
    """A lenient boolean may be given as the number 1 or 0."""

    def convert(value: object) -> str | BadCell:
        if isinstance(value, bool):
            return "true" if value else "false"
        return _booleans.get(str(value), NOT_BOOLEAN) if field.lenient and type(value) in WHOLE else NOT_BOOLEAN

    return convert


def compile_phone(field: Field) -> Convert:
    if field.lenient:
        return limit_length(field, lambda text: quote_json(text) if _match_five_digits(text) else FEW_DIGITS)
    return limit_length(field, lambda text: f'"{text}"' if _match_phone(text) else NOT_PHONE)


def compile_url(field: Field) -> Convert:
    return limit_length(field, lambda text: quote_json(text) if _match_url(text) else NOT_URL)


def compile_enum(field: Field) -> Convert:
    json_texts: dict[str, str | BadCell] = {option: quote_json(option) for option in field.options}
    unknown = not_an_option(field)
    return limit_length(field, lambda text: json_texts.get(text, unknown))


def convert_reference(text: str) -> str | BadCell:
    """Whether there is such a record is known when rows are merged; then the key takes the form that is stored."""
    key = text.strip()
    return quote_json(key) if key else NOT_KEY


def convert_reference_value(value: object) -> str | BadCell:
    key = write_key(value)
    return NOT_KEY if key is None else quote_json(key)


def write_key(value: object) -> str | None:
    """The whole number as the text of a key; None for anything else."""
    digits = format_number(value)
    return digits if digits is not None and _match_integer(digits) else None


def compile_list(field: Field) -> Convert:
    separator, convert_items = field.separator, compile_items(field)

    def convert(text: str) -> str | BadCell:
        items = read_json_list(text) if text.startswith('["') else None
        return convert_items(text.split(separator) if items is None else items)

    return convert


def read_json_list(text: str) -> list[str] | None:
    """The texts of a JSON list, as exports and failed rows write items that contain the separator; None if it is no
    such list."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return items if isinstance(items, list) and all(isinstance(each, str) for each in items) else None


def compile_list_value(field: Field) -> ConvertValue:
    convert_items = compile_items(field)
    return lambda value: convert_items(value) if isinstance(value, list) else NOT_LIST


def compile_items(field: Field) -> ConvertValue:
    """Converts the items of a list: they are trimmed, empty ones are left out, and each must obey the field's options
    and length. Keys of records may be whole numbers."""
    convert = compile_enum(field) if field.options else ITEMS[field.items](field)
    wrong = NOT_KEYS if field.to else NOT_LIST

    def convert_items(items: object) -> str | BadCell:
        json_texts = []
        for item in items if isinstance(items, list) else ():
            written = item if isinstance(item, str) else write_key(item) if field.to else None
            if written is None:
                return wrong
            if text := written.strip():
                converted = convert(text)
                if isinstance(converted, BadCell):
                    return converted
                json_texts.append(converted)
        return f"[{','.join(json_texts)}]"

    return convert_items


def compile_pair(field: Field) -> Convert:
    """Converts `name : value`. Both are trimmed, and the value may contain ` : ` itself."""
    convert = compile_text(field)

    def convert_pair(text: str) -> str | BadCell:
        name, _, value = (part.strip() for part in text.partition(PAIR))
        return convert(f"{name}{PAIR}{value}") if name and value else NOT_PAIR

    return convert_pair


# What the items of a list without options may be.
ITEMS: dict[str, Callable[[Field], Convert]] = {
    "text": compile_text,
    "url": compile_url,
    "slug": compile_slug,
    "pair": compile_pair,
}


def not_an_option(field: Field) -> BadCell:
    shown, more = field.options[:OPTIONS_SHOWN], len(field.options) > OPTIONS_SHOWN
    return bad_cell("not_an_option", options=f"{', '.join(shown)}, …" if more else join_choices(shown))
