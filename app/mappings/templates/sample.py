"""A sample file for a mapping: rows under its headings, spelled as its conversions read them."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from app.formats.sniff import AUTO
from app.mappings.conversions import UnconvertibleCell, compile_conversions, compile_inverse
from app.mappings.declaring.fitting import find_field
from app.mappings.delimiters import parse_delimiter
from app.mappings.mapping import MappedColumn, Mapping
from app.resources.field_types import BadCell, compile_cell
from app.resources.sample import ROWS, sample_cell
from app.resources.schema import Field, Resource

BOOLEANS: Final = {True: "true", False: "false"}
DAY_CHARACTERS: Final = len("2024-01-31")


def mapping_sample(mapping: Mapping, resource: Resource) -> bytes:
    """A file that an import with the mapping takes without a problem, unless the type requires a reference. It has the
    mapping's delimiter and encoding. What the mapping ignores is left out, and a column without a heading is where its
    position is. Blocking."""
    columns = place_columns(mapping)
    delimiter = parse_delimiter(mapping.options.get("delimiter", AUTO)) or AUTO
    encoding = mapping.options.get("encoding", "utf-8")
    text = io.StringIO()
    writer = csv.writer(text, delimiter="," if delimiter == AUTO else delimiter)
    if mapping.has_header:
        writer.writerow([column.name if column else "" for column in columns])
    for row in range(ROWS):
        cells = [write_cell(column, resource, row) for column in columns]
        writer.writerow([cell if is_encodable(cell, encoding) else "" for cell in cells])
    return text.getvalue().encode(encoding, "replace")


def place_columns(mapping: Mapping) -> list[MappedColumn | None]:
    """The columns that fill a field, in the order of the file; None where there is none at a position."""
    filling = [column for column in mapping.columns if column.field]
    at = {column.position: column for column in filling if column.position is not None}
    named: Iterator[MappedColumn] = iter([column for column in filling if column.position is None])
    placed: list[MappedColumn | None] = [
        at.get(position) or next(named, None) for position in range(max(at, default=-1) + 1)
    ]
    return [*placed, *named]


def write_cell(column: MappedColumn | None, resource: Resource, row: int) -> str:
    """A cell that the column takes; empty if none of those that were tried is."""
    field = find_field(column.field, resource) if column else None
    if column is None or field is None or field.id == resource.made_field:
        return ""
    cell = sample_cell(field, row)
    if not column.conversions or not cell:
        return cell
    spelled = replace(field, separator=column.conversions.get("separator", field.separator))
    texts = spell(cell, field, spelled)
    write = compile_inverse(column.conversions, spelled)
    written = [*texts, *(write(texts) if write else ())]
    return next((text for text in reversed(written) if is_read(text, column, spelled)), "")


def spell(cell: str, field: Field, spelled: Field) -> Sequence[str]:
    """The texts of the cell's value as an export has them: the surest last."""
    value = json.loads(str(compile_cell(field)(cell)), parse_float=str, parse_int=str)
    if isinstance(value, bool):
        return [BOOLEANS[value]]
    if isinstance(value, list):
        return [spelled.separator.join(map(str, value))]
    if isinstance(value, dict):
        return [cell]
    return [value[:DAY_CHARACTERS] + "T00:00:00Z", value] if field.type == "datetime" else [value]


def is_read(text: str, column: MappedColumn, field: Field) -> bool:
    """Whether an import takes the text."""
    change = compile_conversions(column.conversions, field)
    read = change([text])[0] if change else text
    return not isinstance(read, UnconvertibleCell) and not isinstance(compile_cell(field)(read), BadCell)


def is_encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
