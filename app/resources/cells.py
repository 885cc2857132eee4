"""The types that a field may have, and how a cell of each becomes a value: compiled once a field, run once a cell."""

from collections.abc import Callable
from dataclasses import dataclass
from unicodedata import normalize

from app.resources import email, numbers, objects, texts, times
from app.resources.conversion import BadCell, Convert, ConvertValue, always, not_a
from app.resources.objects import any_value
from app.resources.vocabulary import Field

__all__ = [
    "TYPES",
    "BadCell",
    "Convert",
    "ConvertValue",
    "any_value",
    "compile_cell",
    "compile_key",
    "compile_value",
    "key_text",
]

LENGTH = frozenset({"max_length"})
BOUNDS = frozenset({"min", "max"})


@dataclass(frozen=True, slots=True)
class Type:
    """A type of field. `limits` are the attributes of Field that mean something for it; `other` takes what JSON Lines
    gives and is not a string, else such a value is `wrong`."""

    cell: Callable[[Field], Convert]
    wrong: BadCell
    limits: frozenset[str] = frozenset()
    other: Callable[[Field], ConvertValue] | None = None
    may_be_key: bool = False


TYPES: dict[str, Type] = {
    "text": Type(texts.text, texts.NOT_TEXT, LENGTH, texts.text_value, may_be_key=True),
    "integer": Type(
        numbers.integer,
        numbers.NOT_INTEGER,
        BOUNDS,
        lambda field: numbers.number_value(numbers.integer(field), numbers.NOT_INTEGER),
        may_be_key=True,
    ),
    "decimal": Type(
        numbers.decimal,
        numbers.NOT_DECIMAL,
        BOUNDS,
        lambda field: numbers.number_value(numbers.decimal(field), numbers.NOT_DECIMAL),
    ),
    "boolean": Type(always(texts.boolean_text), texts.NOT_BOOLEAN, other=texts.boolean_value),
    "date": Type(lambda field: times.day_text if field.lenient else times.date_text, times.NOT_DATE),
    "datetime": Type(always(times.datetime_text), times.NOT_DATETIME),
    "email": Type(email.email, email.NOT_EMAIL, LENGTH, may_be_key=True),
    "phone": Type(texts.phone, texts.NOT_PHONE, LENGTH, may_be_key=True),
    "url": Type(texts.url, texts.NOT_URL, LENGTH),
    "enum": Type(texts.enum, not_a("a text"), LENGTH | {"options"}),
    "list": Type(texts.list_, texts.NOT_LIST, LENGTH | {"options", "separator"}, texts.list_value),
    "object": Type(always(objects.object_text), objects.NOT_OBJECT, other=lambda _field: objects.object_value),
}


def compile_cell(field: Field) -> Convert:
    return TYPES[field.type].cell(field)


def compile_value(field: Field) -> ConvertValue:
    type_ = TYPES[field.type]
    cell, wrong = type_.cell(field), type_.wrong
    other = any_value if field.kept else type_.other(field) if type_.other else lambda _given: wrong
    return lambda given: cell(given) if isinstance(given, str) else other(given)


def compile_key(field: Field) -> Callable[[str], str]:
    return _KEYS.get(field.type, _exact_key)


def key_text(field: Field, text: str) -> str:
    """A key as it is compared, whatever its spelling in the file: NFC, trimmed; an e-mail address also lower-cased,
    a whole number without sign and zeros that mean nothing."""
    return compile_key(field)(text)


def _exact_key(text: str) -> str:
    return text.strip() if text.isascii() else normalize("NFC", text).strip()


def _email_key(text: str) -> str:
    # Lower-casing can undo NFC, so it comes first.
    return text.strip().lower() if text.isascii() else normalize("NFC", text.lower()).strip()


def _integer_key(text: str) -> str:
    written = numbers.integer_text(text)
    return _exact_key(text) if isinstance(written, BadCell) else written


_KEYS: dict[str, Callable[[str], str]] = {"email": _email_key, "integer": _integer_key}
