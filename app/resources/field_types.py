"""The types of field, and how a cell of each is converted: a converter is compiled once per field and runs per cell."""

from collections.abc import Callable
from dataclasses import dataclass

from app.resources import email, numbers, objects, slugs, texts, times
from app.resources.canonical import to_nfc
from app.resources.conversion import BadCell, Convert, ConvertValue, same_for_every_field
from app.resources.invisible import clean_exact
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """A type of field. `compile_cell` makes the converter for strings, `compile_other` the one for values of JSON Lines
    that are not strings; without it such a value is `wrong`. `limits` are the attributes of Field that apply.
    `description` says for people what a cell may contain."""

    description: str
    compile_cell: Callable[[Field], Convert]
    wrong: BadCell
    compile_other: Callable[[Field], ConvertValue] | None = None
    limits: frozenset[str] = frozenset()
    may_be_key: bool = False


TYPES: dict[str, FieldType] = {
    "text": FieldType(
        description="Any text, kept as it is",
        compile_cell=texts.compile_text,
        wrong=texts.NOT_TEXT,
        compile_other=texts.compile_text_value,
        limits=LENGTH,
        may_be_key=True,
    ),
    "integer": FieldType(
        description="A whole number: digits with an optional sign, no thousands separators. `120.0` is read as 120. "
        "At most 1,000 digits, all kept",
        compile_cell=numbers.compile_integer,
        wrong=numbers.NOT_INTEGER,
        compile_other=numbers.compile_integer_value,
        limits=BOUNDS,
        may_be_key=True,
    ),
    "decimal": FieldType(
        description="A number: digits, one decimal point, optional sign and exponent, no thousands separators. "
        "At most 1,000 digits, all kept",
        compile_cell=numbers.compile_decimal,
        wrong=numbers.NOT_DECIMAL,
        compile_other=lambda field: numbers.compile_number_value(numbers.compile_decimal(field), numbers.NOT_DECIMAL),
        limits=BOUNDS,
    ),
    "boolean": FieldType(
        description="`true`, `false`, `1`, `0`, `yes` or `no`, in any case",
        compile_cell=same_for_every_field(texts.convert_boolean),
        wrong=texts.NOT_BOOLEAN,
        compile_other=texts.compile_boolean_value,
    ),
    "date": FieldType(
        description="A date written as `2026-11-21`",
        compile_cell=lambda field: times.convert_day if field.lenient else times.convert_date,
        wrong=times.NOT_DATE,
    ),
    "datetime": FieldType(
        description="A date, or a date and time, in ISO 8601; kept in UTC",
        compile_cell=same_for_every_field(times.convert_datetime),
        wrong=times.NOT_DATETIME,
    ),
    "email": FieldType(
        description="An e-mail address. Its spelling is checked, never the network",
        compile_cell=email.compile_email,
        wrong=email.NOT_EMAIL,
        limits=LENGTH,
        may_be_key=True,
    ),
    "phone": FieldType(
        description="5 to 20 digits with an optional leading `+` and no spaces",
        compile_cell=texts.compile_phone,
        wrong=texts.NOT_PHONE,
        limits=LENGTH,
        may_be_key=True,
    ),
    "url": FieldType(
        description="An absolute address with `http` or `https`",
        compile_cell=texts.compile_url,
        wrong=texts.NOT_URL,
        limits=LENGTH,
    ),
    "slug": FieldType(
        description="Text for the path of a web address: upper case and accents go, and what is neither letter nor "
        "digit becomes a hyphen. `Crème brûlée` is kept as `creme-brulee`",
        compile_cell=slugs.compile_slug,
        wrong=texts.NOT_TEXT,
        limits=LENGTH,
    ),
    "enum": FieldType(
        description="One of the `options`",
        compile_cell=texts.compile_enum,
        wrong=texts.NOT_TEXT,
        limits=LENGTH | {"options"},
    ),
    "list": FieldType(
        description="Several texts in one cell, separated by a pipe or by `separator`, or a JSON list of texts. With "
        "`to` each is the key of a record of that type, as in a reference",
        compile_cell=texts.compile_list,
        wrong=texts.NOT_LIST,
        compile_other=texts.compile_list_value,
        limits=LENGTH | {"options", "separator", "to"},
    ),
    "reference": FieldType(
        description="The key of a record of the type that `to` names. The record must exist",
        compile_cell=same_for_every_field(texts.convert_reference),
        wrong=texts.NOT_KEY,
        compile_other=lambda _field: texts.convert_reference_value,
        limits=frozenset({"to"}),
    ),
    "object": FieldType(
        description="A JSON object or array",
        compile_cell=same_for_every_field(objects.convert_object),
        wrong=objects.NOT_OBJECT,
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
    """The form in which keys are compared: NFC, trimmed and without characters that nobody sees; an e-mail address also
    in lower case and with its domain in Unicode, a whole number also without a plus sign, leading zeros and a fraction
    of zeros."""
    return compile_key(field)(text)


def _normalize_text_key(text: str) -> str:
    return text.strip() if text.isascii() else to_nfc(clean_exact(text)).strip()


def _normalize_email_key(text: str) -> str:
    if text.isascii():
        key = text.strip().lower()
        return email.decode_domain(key) if "xn--" in key else key
    # Lower-casing can undo NFC, so it comes first.
    return email.decode_domain(to_nfc(clean_exact(text).lower()).strip())


def _normalize_integer_key(text: str) -> str:
    digits = numbers.convert_whole(clean_exact(text))
    return _normalize_text_key(text) if isinstance(digits, BadCell) else digits


_KEYS: dict[str, Callable[[str], str]] = {"email": _normalize_email_key, "integer": _normalize_integer_key}
