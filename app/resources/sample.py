"""A sample file that shows how a record type is imported: the header and three rows, which import without an error.

References are left empty, because only an account knows its records: a type that requires one has to be filled in.
"""

import csv
import io
from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal

from app.resources.field_types import BadCell, compile_cell
from app.resources.schema import Field, Resource

ROWS = 3


def sample_csv(resource: Resource) -> str:
    fields = [field for field in resource.fields if not field.read_only and field.id != resource.made_field]
    text = io.StringIO()
    writer = csv.writer(text)  # RFC 4180: commas, CRLF
    writer.writerow([field.id for field in fields])
    writer.writerows([sample_cell(field, row) for field in fields] for row in range(ROWS))
    return text.getvalue()


def sample_cell(field: Field, row: int) -> str:
    """A cell that the field takes, of one of the first ROWS rows."""
    cell = field.samples[row % len(field.samples)] if field.samples else _INVENT[field.type](field, row)
    # Limits can be so narrow that nothing plausible fits them; an empty cell leaves the field alone.
    return "" if isinstance(compile_cell(field)(cell), BadCell) else cell


def _text(field: Field, row: int) -> str:
    cell = f"{field.id} {row + 1}"
    return cell if field.max_length is None or len(cell) <= field.max_length else str(row + 1)


def _email(field: Field, row: int) -> str:
    cell = f"person{row + 1}@example.com"
    return cell if field.max_length is None or len(cell) <= field.max_length else f"{'abc'[row]}@b.co"


def _integer(field: Field, row: int) -> str:
    low, high = field.min, field.max
    if low is None:
        low = Decimal(1) if high is None or high >= ROWS else high - ROWS + 1
    first = low.to_integral_value(ROUND_CEILING)
    return f"{first if high is not None and first + row > high else first + row:f}"


def _decimal(field: Field, row: int) -> str:
    low, high = field.min, field.max
    if low is not None and high is not None:
        return f"{low + (high - low) * row / (ROWS + 1):f}"
    return f"{high - row if high is not None else (low or 0) + row + Decimal('9.90'):f}"


def _phone(field: Field, row: int) -> str:
    cell = f"+3465123456{row}"
    return cell if field.max_length is None or len(cell) <= field.max_length else f"1234{row}"


def _url(field: Field, row: int) -> str:
    cell = f"https://www.example.com/{row + 1}"
    return cell if field.max_length is None or len(cell) <= field.max_length else f"http://{'abc'[row]}"


def _slug(field: Field, row: int) -> str:
    cell = f"example-{row + 1}"
    return cell if field.max_length is None or len(cell) <= field.max_length else str(row + 1)


def _enum(field: Field, row: int) -> str:
    return field.options[row % len(field.options)]


def _list(field: Field, row: int) -> str:
    words = field.options or ("a", "b", "c")
    return "" if field.to else field.separator.join(words[: row + 1])


_INVENT: dict[str, Callable[[Field, int], str]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "boolean": lambda _field, row: ("true", "false", "true")[row],
    "date": lambda _field, row: f"2024-0{row + 1}-15",
    "datetime": lambda _field, row: f"2024-0{row + 1}-15T10:30:00Z",
    "email": _email,
    "phone": _phone,
    "url": _url,
    "slug": _slug,
    "enum": _enum,
    "list": _list,
    "reference": lambda _field, _row: "",  # which records there are only the account knows
    "object": lambda _field, row: f'{{"example": {row + 1}}}',
}
