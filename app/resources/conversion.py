"""What becomes of one cell: the value as JSON text, or the reason why it cannot be stored."""

from collections.abc import Callable
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted  # the C function: a str as JSON text, not escaped to ASCII

from app.problems import PROBLEMS
from app.resources.vocabulary import Field

__all__ = ["BadCell", "Convert", "ConvertValue", "always", "bad", "limited", "not_a", "quoted"]


@dataclass(frozen=True, slots=True)
class BadCell:
    """Why a cell cannot be stored; `code` is a key of PROBLEMS, `message` a sentence that does not repeat the value."""

    code: str
    message: str


# The text of a cell that is not empty -> the value as JSON text, ready to stand in an object.
Convert = Callable[[str], str | BadCell]
# The same for a value of a JSON Lines object (str, Decimal, int, bool, list, dict).
ConvertValue = Callable[[object], str | BadCell]


def bad(code: str, **details: object) -> BadCell:
    return BadCell(code, PROBLEMS[code].format(**details))


def not_a(what: str) -> BadCell:
    return bad("type_error", reason=f"The value is not {what}")


def always(convert: Convert) -> Callable[[Field], Convert]:
    """For a type that knows no limits: the same conversion, whatever the field."""
    return lambda _field: convert


def limited(field: Field, convert: Convert, *, trimmed: bool = False) -> Convert:
    """`convert`, after a look at the number of characters; `trimmed`: blanks around the value do not count."""
    limit = field.max_length
    if limit is None:
        return convert

    def within(text: str) -> str | BadCell:
        if len(text) <= limit:
            return convert(text)
        found = len(text.strip()) if trimmed else len(text)
        return convert(text) if found <= limit else bad("too_long", found=found, limit=limit)

    return within
