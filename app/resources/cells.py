"""The types of field, and how a cell of each is converted: a converter is compiled once per field and runs per cell."""

from collections.abc import Callable
from dataclasses import dataclass
from unicodedata import normalize

from app.resources import email, numbers, objects, texts, times
from app.resources.conversion import BadCell, Convert, ConvertValue, same_for_every_field
from app.resources.objects import convert_any_value
from app.resources.schema import Field

__all__ = [
    "TYPES",
    "BadCell",
    "Convert",
    "ConvertValue",
    "compile_cell",
    "compile_key",
    "compile_value",
    "convert_any_value",
    "normalize_key",
]

LENGTH = frozenset({"max_length"})
BOUNDS = frozenset({"min", "max"})


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type of field. `compile_cell` makes the converter for strings, `compile_other` the one for values of JSON Lines
    that are not strings; without it such a value is `wrong`. `limits` are the attributes of Field that apply."""

    compile_cell: Callable[[Field], Convert]
    wrong: BadCell
    limits: frozenset[str] = frozenset()
    compile_other: Callable[[Field], ConvertValue] | None = None
    may_be_key: bool = False


TYPES: dict[str, FieldType] = {
    "text": FieldType(texts.compile_text, texts.NOT_TEXT, LENGTH, texts.compile_text_value, may_be_key=True),
    "integer": FieldType(
        numbers.compile_integer,
        numbers.NOT_INTEGER,
        BOUNDS,
        lambda field: numbers.compile_number_value(numbers.compile_integer(field), numbers.NOT_INTEGER),
        may_be_key=True,
    ),
    "decimal": FieldType(
        numbers.compile_decimal,
        numbers.NOT_DECIMAL,
        BOUNDS,
        lambda field: numbers.compile_number_value(numbers.compile_decimal(field), numbers.NOT_DECIMAL),
    ),
    "boolean": FieldType(
        same_for_every_field(texts.convert_boolean), texts.NOT_BOOLEAN, compile_other=texts.compile_boolean_value
    ),
    "date": FieldType(lambda field: times.convert_day if field.lenient else times.convert_date, times.NOT_DATE),
    "datetime": FieldType(same_for_every_field(times.convert_datetime), times.NOT_DATETIME),
    "email": FieldType(email.compile_email, email.NOT_EMAIL, LENGTH, may_be_key=True),
    "phone": FieldType(texts.compile_phone, texts.NOT_PHONE, LENGTH, may_be_key=True),
    "url": FieldType(texts.compile_url, texts.NOT_URL, LENGTH),
    "enum": FieldType(texts.compile_enum, texts.NOT_TEXT, LENGTH | {"options"}),
    "list": FieldType(texts.compile_list, texts.NOT_LIST, LENGTH | {"options", "separator"}, texts.compile_list_value),
    "object": FieldType(
        same_for_every_field(objects.convert_object),
        objects.NOT_OBJECT,
        compile_other=lambda _field: objects.convert_object_value,
    ),
}


def compile_cell(field: Field) -> Convert:
    """The converter for the text of a cell."""
    return TYPES[field.type].compile_cell(field)


def compile_value(field: Field) -> ConvertValue:
    """The converter for a value of a JSON Lines object: a string is converted like a cell."""
    type_ = TYPES[field.type]
    convert_text, wrong = type_.compile_cell(field), type_.wrong
    compile_other = type_.compile_other or (lambda _field: lambda _value: wrong)
    convert_other = convert_any_value if field.kept else compile_other(field)
    return lambda value: convert_text(value) if isinstance(value, str) else convert_other(value)


def compile_key(field: Field) -> Callable[[str], str]:
    return _KEYS.get(field.type, _normalize_text_key)


def normalize_key(field: Field, text: str) -> str:
    """The form in which keys are compared: NFC and trimmed; an e-mail address also in lower case, a whole number also
    without a plus sign and leading zeros."""
    return compile_key(field)(text)


def _normalize_text_key(text: str) -> str:
    return text.strip() if text.isascii() else normalize("NFC", text).strip()


def _normalize_email_key(text: str) -> str:
    # Lower-casing can undo NFC, so it comes first.
    return text.strip().lower() if text.isascii() else normalize("NFC", text.lower()).strip()


def _normalize_integer_key(text: str) -> str:
    digits = numbers.convert_integer(text)
    return _normalize_text_key(text) if isinstance(digits, BadCell) else digits


_KEYS: dict[str, Callable[[str], str]] = {"email": _normalize_email_key, "integer": _normalize_integer_key}
