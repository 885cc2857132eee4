"""What the cells of single fields become before they are checked: the rules of the vendor's page, column by column."""

from collections.abc import Sequence
from typing import Final

import msgspec

from app.mappings.conversions import ConvertColumn, UnconvertibleCell, convert_once, is_blank
from app.resources.conversion import BadCell, type_error
from app.resources.times import convert_datetime

VAT_EXCLUDED: Final = "E"
HIDDEN, OLD_CAPTION = "", "Vrij veld"
NOT_PAIRS: Final = type_error(
    "The free fields must be pairs of a caption and a value, such as `Material:Cotton;Origin:Vietnam`"
)


def compile_vat(*, fills_blanks: bool) -> ConvertColumn:
    """One character stays as it is, anything else becomes E. `fills_blanks`: so does a blank."""

    def convert(text: str) -> str:
        text = text.strip()
        if not text:
            return VAT_EXCLUDED if fills_blanks else ""
        return text if len(text) == 1 else VAT_EXCLUDED

    return convert_once(convert)


class CreatedDates:
    """Leaves blank what cannot be read as a date, so that it changes no item, and notes which cells those are."""

    def __init__(self) -> None:
        self._unread: list[int] = []

    def convert(self, texts: Sequence[str]) -> Sequence[str]:
        read = convert_once(_read_date)(texts)
        self._unread = [index for index, text in enumerate(texts) if not read[index] and not is_blank(text)]
        return read

    def take_unread(self) -> list[int]:
        """The indexes of such cells in the column that was converted last."""
        unread, self._unread = self._unread, []
        return unread


def _read_date(text: str) -> str:
    return "" if isinstance(convert_datetime(text), BadCell) else text


def compile_free_fields(*, deprecated: bool, hide_caption: bool, trim: bool) -> ConvertColumn:
    """The cell as JSON: a list of objects with `caption` and `value`. In the deprecated format the whole cell is one
    value, whose commas become points."""
    caption = HIDDEN if hide_caption else OLD_CAPTION

    def read_single(text: str) -> str:
        if is_blank(text):
            return text
        value = (text.strip() if trim else text).replace(",", ".")
        return write_fields([(caption, value)])

    return convert_once(read_single if deprecated else read_pairs)


def read_pairs(text: str) -> str | UnconvertibleCell:
    """`Material:Cotton;Origin:Vietnam`. The first colon of a pair divides it; what is around is trimmed, and a pair
    without a value is left out."""
    if is_blank(text):
        return text
    fields = []
    for pair in filter(None, map(str.strip, text.split(";"))):
        caption, colon, value = (part.strip() for part in pair.partition(":"))
        if not colon or not caption:
            return UnconvertibleCell(text, NOT_PAIRS)
        if value:
            fields.append((caption, value))
    return write_fields(fields)


def write_fields(fields: Sequence[tuple[str, str]]) -> str:
    return msgspec.json.encode([{"caption": caption, "value": value} for caption, value in fields]).decode()


def is_zero(number: str) -> bool:
    """Whether a number, as JSON text, is zero."""
    return not number.lower().partition("e")[0].strip("-0.")
