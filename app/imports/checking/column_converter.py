"""Converts the cells of one column to JSON, the whole column at once where its cells allow it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.imports.checking.cells import ABSENT, ALL_ABSENT, ALL_TEXT, Cells, is_blank_text
from app.imports.checking.findings import Findings
from app.imports.checking.json_objects import MemberColumn, format_member
from app.imports.plan import Options
from app.imports.rows import ApartColumn, ReferenceColumn
from app.mappings.columns import Column
from app.mappings.conversions import ConvertColumn, UnconvertibleCell, compile_conversions
from app.resources.conversion import bad_cell, quote_json
from app.resources.field_types import BadCell, compile_cell, compile_key, compile_value
from app.resources.invisible import Clean, clean_exact, clean_items, clean_prose
from app.resources.numbers import MAX_DIGITS, convert_decimal, convert_integer
from app.resources.schema import Field, Resource
from app.resources.whole_columns import UNQUOTED, AreVerbatim, compile_column
from app.workbooks.formula_errors import is_formula_error

PROSE = ("text", "list", "object")  # field types whose values may mean what nobody sees
NEVER_EMPTY = ("integer", "decimal", "boolean", "reference")  # field types that cannot hold an empty string
ONLY_NUMBERS = {int, Decimal}
BOOLEANS = {True: "true", False: "false"}

# What a cell becomes: JSON text; a BadCell; None for a blank cell; "" for a cell that leaves its field alone.
Converted = str | BadCell | None


@dataclass(frozen=True, slots=True)
class ColumnConverter:
    """Converts the cells of one column. `prefix` is the member's name as it is written in an object (`,"name":`).
    `blank` is the whole member that a blank cell becomes, or "" when a blank cell leaves the field alone."""

    column: Column
    field: Field
    prefix: str
    blank: str
    convert_text: Callable[[str], str | BadCell]
    convert_value: Callable[[object], str | BadCell]
    null: str = "null"  # what JSON's null becomes; "" when it leaves the field alone
    clean: Clean = clean_prose  # takes from a text what nobody can see
    names_type: str = ""  # the type of the records that the cells name
    stored: bool = True  # False: the column only names the record
    null_marker: str | None = None
    change: ConvertColumn | None = None  # the conversions of the mapping; None for nearly every column
    workbook: bool = False  # the cells may be errors of formulas
    are_verbatim: AreVerbatim | None = None  # whether texts are stored as they are

    def prepare(self, cells: Cells) -> Cells:
        """The cells as the field takes them: one with the null marker is absent, and texts are converted. A cell of
        nothing but white space is empty where the field is required, so that it counts as missing."""
        values, types = cells
        if self.null_marker is not None and self.null_marker in values:
            marker = self.null_marker
            values, types = [ABSENT if value == marker else value for value in values], ALL_TEXT | ALL_ABSENT
        if self.change is not None:
            values, types = change_texts(self.change, Cells(values, types))
        if self.workbook:
            values, types = find_formula_errors(Cells(values, types))
        if self.field.required and not (types == ALL_TEXT and not any(map(str.isspace, values))):  # type: ignore[arg-type]
            values = ["" if is_blank_text(value) else value for value in values]
        return Cells(values, types)

    def convert_members(self, cells: Cells, sent: Cells, findings: Findings) -> MemberColumn:
        """The column as members of the batch's objects. A bad cell becomes a problem here, which shows what was
        `sent`."""
        clean = self.convert_clean(cells)
        if clean is not None:
            return clean
        values = self.convert_all(cells)
        types = set(map(type, values))
        if types == ALL_TEXT and "" not in values:
            return MemberColumn(self.field.id, values)  # type: ignore[arg-type]
        if BadCell in types:
            converted = enumerate(zip(values, sent.values, strict=True))
            return MemberColumn(None, [self.write(value, index, cell, findings) for index, (value, cell) in converted])
        prefix, blank = self.prefix, self.blank
        return MemberColumn(None, [prefix + value if value else ("" if value == "" else blank) for value in values])  # type: ignore[operator]

    def take_references(self, members: MemberColumn) -> tuple[MemberColumn, ReferenceColumn]:
        """What `convert_members` returned, without the keys of records, and these by themselves."""
        start, empty = len(self.prefix), ("", f"{self.prefix}null")
        # A column in which no cell is bad or blank has only values, of which a null of JSON is one.
        texts = members.texts if members.name is None else [self.prefix + text for text in members.values]
        cells = [None if text in empty else text[start:] for text in texts]
        rest = [text if cell is None else "" for cell, text in zip(cells, texts, strict=True)]
        column = ReferenceColumn(self.field.id, self.column.heading, self.names_type, cells, self.field.alias_of)
        return MemberColumn(None, rest), column

    def write(self, value: Converted, index: int, cell: object, findings: Findings) -> str:
        """One converted cell as a member, or a problem of the row with this index. Text that is nothing but white space
        is a blank wherever it would be bad."""
        if isinstance(value, BadCell):
            if not is_blank_text(cell):
                findings.add(index, value, column=self.column.heading, field=self.field.id, value=cell)
                return ""
            value = None
        return self.blank if value is None else value and self.prefix + value

    def convert(self, cell: object) -> Converted:
        """A single cell."""
        if cell is ABSENT:
            return ""
        if cell == "":
            return None
        return self.null if cell is None else self.convert_value(cell)

    def convert_all(self, cells: Cells) -> list[Converted]:
        """`convert` of each cell, for columns of one type without a call per cell and layer."""
        values, types = cells
        if types == ALL_TEXT:
            return self._convert_texts(values)  # type: ignore[arg-type]
        if types == ALL_ABSENT:
            return [""] * len(values)
        if UnconvertibleCell in types:
            return [value.bad if isinstance(value, UnconvertibleCell) else self.convert(value) for value in values]
        field_type = "" if self.field.kept else self.field.type
        if field_type in ("integer", "decimal") and types <= ONLY_NUMBERS:
            texts = list(map(str, values))
            joined = "".join(texts)
            # A number written with an exponent need not look as it was sent, and a point means more in a cell.
            if "E" not in joined and (field_type == "decimal" or "." not in joined):
                return list(map(self.convert_text, texts))
        if field_type == "boolean" and types == {bool}:
            return [BOOLEANS[value] for value in values]  # type: ignore[index]
        return [self.convert(value) for value in values]

    def convert_clean(self, cells: Cells) -> MemberColumn | None:
        """The same for a column in which no cell can be bad, blank or absent; None for any other. Most columns are
        known to be so without a look at what became of each cell."""
        values, types = cells
        convert = self.convert_text
        if types == ALL_TEXT:
            return self._convert_clean_texts(values)  # type: ignore[arg-type]
        if self.field.kept:
            return None
        if (convert is convert_decimal and types <= ONLY_NUMBERS) or (convert is convert_integer and types == {int}):
            texts = list(map(str, values))
            fits = "E" not in "".join(texts) and max(map(len, texts)) <= MAX_DIGITS
            return MemberColumn(self.field.id, texts) if fits else None
        return None

    def _convert_clean_texts(self, texts: Sequence[str]) -> MemberColumn | None:
        if self.are_verbatim is not None and self.are_verbatim(texts):
            return MemberColumn(self.field.id, texts, bare=self.field.type not in UNQUOTED)
        if self.convert_text is quote_json and "" not in texts:
            return MemberColumn(self.field.id, list(map(quote_json, texts)))
        return None

    def _convert_texts(self, texts: Sequence[str]) -> list[Converted]:
        convert = self.convert_text
        if "" in texts:
            return [convert(text) if text else None for text in texts]
        return list(map(convert, texts))


def take_apart(
    converters: Sequence[ColumnConverter], converted: list[MemberColumn], apart: Collection[str]
) -> list[ApartColumn]:
    """Takes the fields that are handed on beside the records out of the converted columns."""
    taken = []
    for index, converter in enumerate(converters):
        if converter.field.id in apart:
            converted[index], column = converter.take_references(converted[index])
            taken.append(ApartColumn(column.field, column.cells))
    return taken


def change_texts(change: ConvertColumn, cells: Cells) -> Cells:
    """The cells with all texts changed. What is not text came from JSON Lines as it is meant."""
    values, types = cells
    if types == ALL_TEXT:
        changed: Sequence[object] = change(values)  # type: ignore[arg-type]
    else:
        texts = iter(change([value for value in values if isinstance(value, str)]))
        changed = [next(texts) if isinstance(value, str) else value for value in values]
    return Cells(changed, set(map(type, changed)))


def find_formula_errors(cells: Cells) -> Cells:
    """The cells with what fails a row in place of each error of a formula: to store it as text, or to clear the field,
    would be as wrong."""
    values: list[object] = [
        UnconvertibleCell(value, bad_cell("formula_error", error=value))
        if isinstance(value, str) and value[:1] == "#" and is_formula_error(value)
        else value
        for value in cells.values
    ]
    return Cells(values, set(map(type, values)))


def build_converter(
    resource: Resource,
    column: Column,
    options: Options,
    *,
    delimited: bool = False,
    workbook: bool = False,
    change: ConvertColumn | None = None,
) -> ColumnConverter:
    """Compiles the converter of a column; a column that no field declares holds text. Null markers are for `delimited`
    files only, and errors of formulas are looked for in those that are of a `workbook`. `change` takes the place of the
    conversions that a mapping asks for."""
    field = (resource.field(column.field) if column.known else None) or Field(column.field, "text")
    asked = column.conversions
    field = replace(field, separator=asked["separator"]) if "separator" in asked else field
    marker = asked.get("nullMarker", options.null_marker) if delimited else None
    change = change or compile_conversions(asked, field)
    surrogate, prefix = resource.surrogate, format_member(field.alias_of or field.id, "")
    names_type = resource.type_named_in(field)
    if surrogate is not None and field.id == surrogate.source:
        return replace(build_source_converter(column, field), null_marker=marker, change=change, workbook=workbook)
    blanks = {"keep": "", "clear": "null", "empty": "null" if field.type in NEVER_EMPTY or names_type else '""'}
    blank = blanks[asked.get("blank", options.blank_cells)]
    return ColumnConverter(
        column,
        field,
        prefix,
        blank=blank and prefix + blank,
        convert_text=compile_cell(field),
        convert_value=compile_value(field),
        stored=not (resource.generates_key and field.id in resource.keys)
        and (surrogate is None or field.id != surrogate.id),
        clean=build_clean(resource, field),
        null_marker=marker,
        change=change,
        workbook=workbook,
        names_type=names_type,
        are_verbatim=compile_column(field),
    )


def build_clean(resource: Resource, field: Field) -> Clean:
    if field.type == "list":
        return clean_items(clean_exact if field.options or field.to else clean_prose, field.separator)
    return clean_prose if field.type in PROSE and not identifies(resource, field.id) else clean_exact


def identifies(resource: Resource, field_id: str) -> bool:
    """Whether records are found by this field."""
    surrogate = resource.surrogate
    return field_id in resource.keys or (surrogate is not None and field_id in (surrogate.id, surrogate.source))


def build_source_converter(column: Column, field: Field) -> ColumnConverter:
    """The converter of the caller's own id. It is never cleared, and it is stored as it is compared, because the record
    is found by it."""
    key_of, convert_other = compile_key(field), compile_value(field)

    def convert_text(text: str) -> str:
        key = key_of(text)
        return quote_json(key) if key else ""

    def convert_value(value: object) -> str | BadCell:
        return convert_text(value) if isinstance(value, str) else convert_other(value)

    prefix = format_member(field.id, "")
    return ColumnConverter(column, field, prefix, "", convert_text, convert_value, null="", clean=clean_exact)
