"""Shows what an import makes of the values of a column: how each would be stored, or why it cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.imports.checking.cells import Cells, clean_cells, is_blank_text
from app.imports.checking.column_converter import ColumnConverter, Converted, build_converter
from app.imports.plan import Options
from app.mappings.columns import Column
from app.resources.conversion import BadCell
from app.resources.schema import Resource


@dataclass(frozen=True, slots=True)
class StoredValue:
    """What becomes of a value: `json` is what its field would hold, as JSON text, "" if the field would stay as it is.
    `wrong` says why it cannot be stored."""

    json: str = ""
    wrong: BadCell | None = None


def show_stored(
    values: Sequence[object],
    column: Column,
    resource: Resource,
    options: Options,
    *,
    delimited: bool = True,
    workbook: bool = False,
) -> list[StoredValue]:
    """What becomes of each of the values, which are texts in a `delimited` file. They go the way of the cells of an
    import with a mapping of the caller's."""
    converter = build_converter(resource, column, options, delimited=delimited, workbook=workbook)
    sent = Cells(values, set(map(type, values)))
    items = converter.field.type == "list"
    cleaned, _ = clean_cells(sent, converter.clean, formulas=delimited, neutralized=delimited, items=items)
    converted = converter.convert_all(converter.prepare(cleaned))
    return [show_converted(each, cell, converter) for each, cell in zip(converted, cleaned.values, strict=True)]


def show_converted(converted: Converted, cell: object, converter: ColumnConverter) -> StoredValue:
    if isinstance(converted, BadCell) and not is_blank_text(cell):
        return StoredValue(wrong=converted)
    if isinstance(converted, str):
        return StoredValue(converted)
    return StoredValue(converter.blank.removeprefix(converter.prefix))
