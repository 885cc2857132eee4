"""Builds the statements of an export: which records, and what is in each column.

Every name and value is a parameter: headings of unknown columns are whatever somebody sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.storage.exports.conditions import build_where
from app.storage.exports.selection import Selection

# The items of a list in one cell. As JSON if the cell could not be split into the same items again: a separator of
# several characters may also begin at the end of an item.
LIST = """CASE WHEN jsonb_typeof({value}) = 'array' THEN (
    SELECT CASE WHEN bool_or(strpos(item || {separator}, {separator}) <= length(item))
            OR starts_with(min(item) FILTER (WHERE place = 1), '["')
        THEN CAST({value} AS text) ELSE string_agg(item, {separator} ORDER BY place) END
    FROM jsonb_array_elements_text({value}) WITH ORDINALITY AS each(item, place)) ELSE {text} END"""

# PostgreSQL decompresses a large record anew for each of its members that is read, so it is copied once before: 100
# fields took 172 µs for a record and take 34, 1,500 took 22 ms and take 1.4. For small records it is a tenth more.
PLAIN = """FROM (SELECT key, created_at, data || '{{}}' AS data FROM records
    WHERE {where} ORDER BY {order} OFFSET 0) AS plain ORDER BY {order}"""

COUNTED = """
SELECT count(*) AS total, coalesce(bool_or(pg_column_compression(data) IS NOT NULL), false) AS compressed,
    coalesce(bool_or({unknown}), false) AS unknown
FROM records WHERE {where}"""

MOST_CELLS = 1_600  # of a statement: PostgreSQL's own limit is 1,664
# A whole line in one cell, for more of them than that. It takes twice as long.
LINE = """SELECT (
    SELECT string_agg(
        CASE WHEN cell ~ {special} THEN '"' || replace(cell, '"', '""') || '"' ELSE coalesce(cell, '') END,
        {delimiter} ORDER BY place)
    FROM unnest(ARRAY[{cells}]) WITH ORDINALITY AS each(cell, place)) {records}"""

# What a spreadsheet takes for a formula, except for a plain number; and the same with apostrophes before it.
FORMULA = "{text} ~ '^''*[=+@\\t\\r-]' AND {text} !~ '^[+-]?[0-9]+([.,][0-9]+)?$'"
WITH_APOSTROPHE = "{text} ~ '^''+[=+@\\t\\r-]'"
# What an import reads as a formula for text (="00123"), and a little more.
TEXT_FORMULA = """strpos({text}, '="') > 0 AND {text} ~ '^[^"[:alnum:]<]*="'"""


@dataclass(frozen=True, slots=True)
class CellSource:
    """What the cells of a column are: a member of the record, or its key; nothing if there is no member. `separator`
    when it holds a list, `marker` what is written in place of null and of what is not there."""

    member: str
    is_key: bool = False
    is_text: bool = True  # it may look like a formula
    separator: str | None = None
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Formulas:
    """What is done to text that looks like a formula. `neutralize` puts an apostrophe before it, for spreadsheets.
    `guard` writes text that an import would change so that it reads what is stored: it costs a third of the time, and
    hardly any record needs it. `escape` if that import takes apostrophes off."""

    neutralize: bool = False
    guard: bool = False
    escape: bool = False


@dataclass(slots=True)
class Statement:
    """SQL with numbered parameters, and their values."""

    text: str = ""
    values: list[object] = field(default_factory=list)
    types: list[str] = field(default_factory=list)  # of the values

    def bind(self, value: object, type: str = "text") -> str:
        """The parameter that stands for the value."""
        self.values.append(value)
        self.types.append(type)
        return f"CAST(${len(self.values)} AS {type})"


def count_records(selection: Selection, known: Sequence[str] | None) -> Statement:
    """One row: their `total`, whether any is `compressed`, and whether any has an `unknown` member, one that is not
    among the `known`; None: it does not matter. 1,000,000 records of 212 bytes take 0.5 s; their copy takes 2.4 s."""
    statement = Statement()
    unknown = "false" if known is None else f"data - {statement.bind(list(known), 'text[]')} <> '{{}}'"
    statement.text = COUNTED.format(unknown=unknown, where=build_where(statement.bind, selection))
    return statement


def list_members(selection: Selection, limit: int) -> Statement:
    """The names of all members that occur, at most so many. It takes half as long as the export itself."""
    statement = Statement()
    where = build_where(statement.bind, selection)
    names = f"SELECT DISTINCT jsonb_object_keys(data) AS name FROM records WHERE {where} ORDER BY name"
    statement.text = f"{names} LIMIT {statement.bind(limit, 'integer')}"
    return statement


def select_cells(selection: Selection, sources: Sequence[CellSource], formulas: Formulas) -> Statement:
    """A column for each source. Empty text and null are both an empty cell."""
    statement = Statement()
    cells = ", ".join(build_cell(statement, each, formulas) for each in sources)
    statement.text = f"SELECT {cells} {read_plain(statement, selection)}"
    return statement


def select_lines(selection: Selection, sources: Sequence[CellSource], formulas: Formulas, delimiter: str) -> Statement:
    """The same cells as lines of CSV, written as COPY writes them. Where a line is one cell, a blank one is quoted,
    because readers skip blank lines."""
    statement, alone = Statement(), len(sources) == 1
    cells = [build_cell(statement, each, formulas) for each in sources]
    statement.text = LINE.format(
        cells=f"coalesce({cells[0]}, '')" if alone else ", ".join(cells),
        special=statement.bind(f'["\r\n{delimiter}]{"|^[[:space:]]*$" if alone else ""}'),
        delimiter=statement.bind(delimiter),
        records=read_plain(statement, selection),
    )
    return statement


def select_rows(selection: Selection, sources: Sequence[CellSource], formulas: Formulas) -> Statement:
    """The same cells as JSON arrays of texts and nulls."""
    statement = Statement()
    cells = ", ".join(build_cell(statement, each, formulas) for each in sources)
    records = read_plain(statement, selection)
    statement.text = f"SELECT array_to_json(CAST(ARRAY[{cells}] AS text[])) {records}"
    return statement


def select_records(selection: Selection, key_member: str | None) -> Statement:
    """Each record as JSON text; with `key_member`, the key is a member of that name."""
    statement = Statement()
    data = f"jsonb_build_object({statement.bind(key_member)}, key) || data" if key_member else "data"
    where = build_where(statement.bind, selection)
    statement.text = f"SELECT CAST({data} AS text) FROM records WHERE {where} ORDER BY {selection.order}"
    return statement


def select_objects(selection: Selection, sources: Sequence[tuple[str, CellSource]]) -> Statement:
    """Each record as a JSON object with these names, without what is not there."""
    statement = Statement()
    members = []
    for name, source in sources:
        value = "to_json(key)" if source.is_key else f"(data -> {statement.bind(source.member)})"
        members.append(f"CAST(to_json({statement.bind(name)}) AS text) || ':' || CAST({value} AS text)")
    records = read_plain(statement, selection)
    built = f"'{{' || array_to_string(CAST(ARRAY[{', '.join(members)}] AS text[]), ',') || '}}'"
    statement.text = f"SELECT {built} {records}"
    return statement


def read_plain(statement: Statement, selection: Selection) -> str:
    """FROM and ORDER BY, for statements that read several members of each record."""
    if not selection.compressed:
        return f"FROM records WHERE {build_where(statement.bind, selection)} ORDER BY {selection.order}"
    return PLAIN.format(where=build_where(statement.bind, selection), order=selection.order)


def build_cell(statement: Statement, source: CellSource, formulas: Formulas) -> str:
    if not source.member:
        return "NULL"
    cell = build_text(statement, source)
    if source.is_text:
        cell = spell_formulas(cell, formulas)
    return cell if source.marker is None else f"coalesce({cell}, {statement.bind(source.marker)})"


def build_text(statement: Statement, source: CellSource) -> str:
    if source.is_key:
        return "key"
    name = statement.bind(source.member)
    # With a marker for null, an empty cell can stand for empty text.
    text = f"nullif(data ->> {name}, '')" if source.marker is None else f"(data ->> {name})"
    if source.separator is None:
        return text
    return LIST.format(value=f"(data -> {name})", separator=statement.bind(source.separator), text=text)


def spell_formulas(text: str, formulas: Formulas) -> str:
    cases = [
        (formulas.neutralize, FORMULA, f"'''' || {text}"),
        (formulas.guard, TEXT_FORMULA, f"""'="' || replace({text}, '"', '""') || '"'"""),
        (formulas.guard and formulas.escape, WITH_APOSTROPHE, f"'''' || {text}"),
    ]
    spelled = " ".join(f"WHEN {test.format(text=text)} THEN {then}" for wanted, test, then in cases if wanted)
    return f"CASE {spelled} ELSE {text} END" if spelled else text
