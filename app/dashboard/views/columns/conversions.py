"""The conversions of a column as fields of a form, and what is typed there as values of a mapping."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from app.drafts.columns.choice import suits
from app.mappings.conversions import BLANKS, CASES
from app.mappings.mapping import Conversions

SEPARATION: Final = " = "  # of what is in the file, and what it stands for


@dataclass(frozen=True, slots=True)
class ConversionField:
    """How a conversion is asked for. `choices` are those of a select beside "as it is"."""

    label: str
    kind: Literal["flag", "text", "choice", "pairs"]
    help: str
    choices: Sequence[tuple[str, str]] = ()


# In the order of the page: what is needed most often comes first. The names are those of CONVERSIONS.
CONVERSION_FIELDS: Final[Mapping[str, ConversionField]] = {
    "decimalComma": ConversionField("Decimal comma", "flag", "Reads 1.234,50 as 1234.50"),
    "dateFormat": ConversionField("Dates are written as", "text", "For example DD.MM.YYYY or MM/DD/YYYY HH:mm"),
    "separator": ConversionField("Between the items of a list", "text", "For example ; or ,"),
    "trim": ConversionField("Remove white space at both ends", "flag", ""),
    "case": ConversionField(
        "Upper and lower case", "choice", "", [(each, f"{each} case".capitalize()) for each in CASES]
    ),
    "values": ConversionField("What single values stand for", "pairs", "One a line: J = true"),
    "default": ConversionField("What a blank cell is taken for", "text", "Written as the file would have it"),
    "nullMarker": ConversionField("What leaves the field as it is", "text", "For example n/a"),
    "blank": ConversionField(
        "What a blank cell does",
        "choice",
        "",
        list(zip(BLANKS, ("Leave the field as it is", "Clear the field", "Store an empty text"), strict=True)),
    ),
}


def list_conversions(type: str) -> list[tuple[str, ConversionField]]:
    """Those that fields of this type may have."""
    return [(name, each) for name, each in CONVERSION_FIELDS.items() if suits(name, type)]


def write_values(conversions: Conversions, index: int) -> dict[str, str]:
    """The conversions of a column as the fields of the form, each `name-index`."""
    return {f"{name}-{index}": write_value(value) for name, value in conversions.items()}


def write_value(value: Any) -> str:
    """True is what a ticked box sends. Pairs that lines cannot tell are JSON."""
    if isinstance(value, dict):
        lines = "\n".join(f"{text}{SEPARATION}{listed}" for text, listed in value.items())
        return lines if read_pairs(lines) == value else json.dumps(value, ensure_ascii=False)
    return "true" if value is True else str(value)


def read_values(typed: Mapping[str, str]) -> dict[str, Any]:
    """Conversions by their names, as a mapping has them. What is empty is left out."""
    read: dict[str, Any] = {}
    for name, text in typed.items():
        field = CONVERSION_FIELDS.get(name)
        if field is None or not text:
            continue
        read[name] = True if field.kind == "flag" else read_pairs(text) if field.kind == "pairs" else text
    return read


def read_pairs(text: str) -> Any:
    """Lines of "J = true" as an object. A line without "=" stands for nothing, which the mapping refuses."""
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    pairs = [line.partition("=") for line in text.splitlines() if line.strip()]
    if not all(sign for _, sign, _ in pairs):
        return text
    return {name.strip(): listed.strip() for name, _, listed in pairs}


def sum_up(conversions: Conversions) -> str:
    """The conversions of a column in a few words: "decimal comma, dates are written as DD.MM.YYYY"."""
    return ", ".join(tell(field, conversions[name]) for name, field in CONVERSION_FIELDS.items() if name in conversions)


def tell(field: ConversionField, value: Any) -> str:
    words = field.label[:1].lower() + field.label[1:]
    return f"{words} {value}" if field.kind == "text" else words
