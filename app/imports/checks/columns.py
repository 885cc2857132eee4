"""One column's cells into values, and where the bad ones are noted."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal

from app.formats.records import Batch
from app.imports.members import member
from app.imports.naming import ABSENT
from app.imports.plan import Options
from app.mappings.columns import Column
from app.problems import Problem, shorten
from app.resources.cells import BadCell, compile_cell, compile_key, compile_value
from app.resources.conversion import quote_json
from app.resources.numbers import MAX_DIGITS, convert_decimal, convert_integer
from app.resources.schema import Field, Resource

NUMBERS = ("integer", "decimal", "boolean")  # types that cannot hold an empty string
Kinds = AbstractSet[type]  # the types of a column's cells
TEXTS: Kinds = {str}
NOTHING: Kinds = {type(ABSENT)}
DIGITAL: Kinds = {int, Decimal}
TRUTH = {True: "true", False: "false"}


@dataclass(frozen=True, slots=True)
class ColumnCheck:
    """One column's converter and what its blank cells become (JSON text, or "" for nothing)."""

    column: Column
    field: Field
    prefix: str
    blank: str
    convert: Callable[[str], str | BadCell]
    convert_value: Callable[[object], str | BadCell]
    null: str = "null"  # what JSON's null becomes; "" for nothing
    stored: bool = True  # False: it names the record and is no part of it


@dataclass(slots=True)
class Bad:
    """The problems found so far in one batch, by the index of the record."""

    batch: Batch
    called: Sequence[str]  # what each row calls its record
    found: defaultdict[int, list[Problem]]

    def add(self, index: int, where: ColumnCheck | None, bad: BadCell, value: object = None) -> None:
        column, field = (where.column.heading, where.field.id) if where else (None, None)
        self.found[index].append(self.problem(index, column, field, bad, value))

    def problem(self, index: int, column: str | None, field: str | None, bad: BadCell, value: object = None) -> Problem:
        told = None if value is None else shorten(value if isinstance(value, str) else str(value))
        place = self.batch.lines[index], self.batch.rows[index]
        return Problem(*place, column, field, bad.code, bad.message, told, shorten(self.called[index]))


def column_check(resource: Resource, column: Column, options: Options) -> ColumnCheck:
    field = (resource.field(column.field) if column.known else None) or Field(column.field, "text")
    blanks = {"keep": "", "clear": "null", "empty": "null" if field.type in NUMBERS else '""'}
    blank = blanks[options.blank_cells]
    prefix = member(field.id, "")
    if resource.surrogate is not None and field.id == resource.surrogate.source:
        return source_check(column, field)
    stored = resource.surrogate is None or field.id != resource.surrogate.id
    convert = compile_cell(field)
    return ColumnCheck(column, field, prefix, blank and prefix + blank, convert, compile_value(field), stored=stored)


def source_check(column: Column, field: Field) -> ColumnCheck:
    """The caller's own id: never cleared, and kept as it is compared, so that it is what the record is found by."""
    key_of, value_of = compile_key(field), compile_value(field)

    def convert(text: str) -> str:
        key = key_of(text)
        return quote_json(key) if key else ""

    def convert_value(given: object) -> str | BadCell:
        return convert(given) if isinstance(given, str) else value_of(given)

    return ColumnCheck(column, field, member(field.id, ""), "", convert, convert_value, null="")


def converted(check: ColumnCheck, cell: object) -> str | BadCell | None:
    """A JSON member's value: None for a blank, "" for one that is absent; JSON's null clears the field."""
    if cell is ABSENT:
        return ""
    if cell == "":
        return None
    return check.null if cell is None else check.convert_value(cell)


def converted_all(check: ColumnCheck, cells: Sequence[object], kinds: Kinds) -> list[str | BadCell | None]:
    """`converted` of each cell, which are of those kinds; a column of one kind without a call per cell and layer."""
    if kinds == TEXTS:
        return converted_texts(check, cells)  # type: ignore[arg-type]
    if kinds == NOTHING:
        return [""] * len(cells)
    kind = "" if check.field.kept else check.field.type
    if kind in ("integer", "decimal") and kinds <= DIGITAL:
        texts = list(map(str, cells))
        if "E" not in "".join(texts):  # else they need not be as they were sent
            return list(map(check.convert, texts))
    if kind == "boolean" and kinds == {bool}:
        return [TRUTH[cell] for cell in cells]  # type: ignore[index]
    return [converted(check, cell) for cell in cells]


def surely_converted(check: ColumnCheck, cells: Sequence[object], kinds: Kinds) -> list[str] | None:
    """The same of a column in which no cell can be wrong, blank or absent; None of any other. Of most columns that is
    known without a look at what became of each cell."""
    convert = check.convert
    if kinds == TEXTS:
        return list(map(quote_json, cells)) if convert is quote_json and "" not in cells else None  # type: ignore[arg-type]
    if check.field.kept:
        return None
    if (convert is convert_decimal and kinds <= DIGITAL) or (convert is convert_integer and kinds == {int}):
        texts = list(map(str, cells))
        return texts if "E" not in "".join(texts) and max(map(len, texts)) <= MAX_DIGITS else None
    return None


def converted_texts(check: ColumnCheck, cells: Sequence[str]) -> list[str | BadCell | None]:
    """The same of cells that are texts, as those of a delimited file are."""
    convert = check.convert
    if "" in cells:
        return [convert(cell) if cell else None for cell in cells]
    return list(map(convert, cells))


def filled(cell: object) -> bool:
    """Whether a cell holds anything but blanks."""
    if isinstance(cell, str):
        return bool(cell) and not cell.isspace()
    return cell is not None and cell is not ABSENT
