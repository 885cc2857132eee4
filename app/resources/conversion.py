"""What a cell becomes: its value as JSON text, or the reason why it cannot be stored."""

from collections.abc import Callable
from dataclasses import dataclass
from json.encoder import encode_basestring as quote_json  # the C function: a str as JSON text, not escaped to ASCII

from app.problems import PROBLEMS
from app.resources.schema import Field

__all__ = [
    "BadCell",
    "Convert",
    "ConvertValue",
    "bad_cell",
    "limit_length",
    "quote_json",
    "same_for_every_field",
    "type_error",
]


@dataclass(frozen=True, slots=True)
class BadCell:
    """Why a cell cannot be stored. `code` is a key of PROBLEMS, `message` a sentence that does not repeat the value."""

    code: str
    message: str


# Takes the text of a cell that is not empty and returns the value as JSON text, ready to be put into an object.
Convert = Callable[[str], str | BadCell]
# The same for a value of a JSON Lines object (str, Decimal, int, bool, list or dict).
ConvertValue = Callable[[object], str | BadCell]


def bad_cell(code: str, **details: object) -> BadCell:
    return BadCell(code, PROBLEMS[code].format(**details))


def type_error(message: str) -> BadCell:
    return bad_cell("type_error", reason=message)


def same_for_every_field(convert: Convert) -> Callable[[Field], Convert]:
    """For a type without limits: its fields need no conversion of their own."""
    return lambda _field: convert


def limit_length(field: Field, convert: Convert, *, trimmed: bool = False) -> Convert:
    """`convert`, preceded by a check against `field.max_length`. `trimmed`: spaces around the value do not count."""
    limit = field.max_length
    if limit is None:
        return convert

    def convert_within_limit(text: str) -> str | BadCell:
        if len(text) <= limit:
            return convert(text)
        length = len(text.strip()) if trimmed else len(text)
        return convert(text) if length <= limit else bad_cell("too_long", found=length, limit=limit)

    return convert_within_limit
