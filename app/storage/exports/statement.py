"""Builds the statement of an export: which records, and what is in each column.

Every name and value is a parameter: headings of unknown columns are whatever somebody sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

# The items of a list in one cell. As JSON if the cell could not be split into the same items again.
LIST = """CASE WHEN jsonb_typeof({value}) = 'array' THEN (
    SELECT CASE WHEN bool_or(strpos(item, {separator}) > 0) OR starts_with(min(item) FILTER (WHERE place = 1), '["')
        THEN CAST({value} AS text) ELSE string_agg(item, {separator} ORDER BY place) END
    FROM jsonb_array_elements_text({value}) WITH ORDINALITY AS each(item, place)) ELSE {text} END"""

# PostgreSQL decompresses a large record anew for each of its members that is read, so it is copied once before: 100
# fields took 172 µs for a record and take 34, 1,500 took 22 ms and take 1.4. Small records cost the same.
PLAIN = "(SELECT key, data || '{{}}' AS data FROM records WHERE {where} ORDER BY key OFFSET 0) AS plain"

MOST_CELLS = 1_600  # of a statement: PostgreSQL's own limit is 1,664
# A whole line in one cell, for more of them than that. It takes twice as long.
LINE = """SELECT (
    SELECT string_agg(
        CASE WHEN cell ~ {special} THEN '"' || replace(cell, '"', '""') || '"' ELSE coalesce(cell, '') END,
        {delimiter} ORDER BY place)
    FROM unnest(ARRAY[{cells}]) WITH ORDINALITY AS each(cell, place)) FROM {records} ORDER BY key"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records of an account are exported, in the order of their keys."""

    account_id: int
    type: str


@dataclass(frozen=True, slots=True)
class CellSource:
    """What the cells of a column are: a member of the record, or its key. `separator` when it holds a list."""

    member: str
    is_key: bool = False
    separator: str | None = None


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


def count_records(selection: Selection) -> Statement:
    statement = Statement()
    statement.text = f"SELECT count(*) FROM records WHERE {build_where(statement, selection)}"
    return statement


def list_members(selection: Selection, limit: int) -> Statement:
    """The names of all members that occur, at most so many."""
    statement = Statement()
    where = build_where(statement, selection)
    names = f"SELECT DISTINCT jsonb_object_keys(data) AS name FROM records WHERE {where} ORDER BY name"
    statement.text = f"{names} LIMIT {statement.bind(limit, 'integer')}"
    return statement


def select_cells(selection: Selection, sources: Sequence[CellSource]) -> Statement:
    """A column for each source. Empty text and null are both an empty cell."""
    statement = Statement()
    cells = ", ".join(build_cell(statement, each) for each in sources)
    records = PLAIN.format(where=build_where(statement, selection))
    statement.text = f"SELECT {cells} FROM {records} ORDER BY key"
    return statement


def select_lines(selection: Selection, sources: Sequence[CellSource], delimiter: str) -> Statement:
    """The same cells as lines of CSV, written as COPY writes them."""
    statement = Statement()
    statement.text = LINE.format(
        cells=", ".join(build_cell(statement, each) for each in sources),
        special=statement.bind(f'["\r\n{delimiter}]'),
        delimiter=statement.bind(delimiter),
        records=PLAIN.format(where=build_where(statement, selection)),
    )
    return statement


def select_objects(selection: Selection, key_member: str | None) -> Statement:
    """Each record as JSON text; with `key_member`, the key is a member of that name."""
    statement = Statement()
    data = f"jsonb_build_object({statement.bind(key_member)}, key) || data" if key_member else "data"
    where = build_where(statement, selection)
    statement.text = f"SELECT CAST({data} AS text) FROM records WHERE {where} ORDER BY key"
    return statement


def build_where(statement: Statement, selection: Selection) -> str:
    return f"account_id = {statement.bind(selection.account_id, 'integer')} AND type = {statement.bind(selection.type)}"


def build_cell(statement: Statement, source: CellSource) -> str:
    if source.is_key:
        return "key"
    name = statement.bind(source.member)
    text = f"nullif(data ->> {name}, '')"
    if source.separator is None:
        return text
    return LIST.format(value=f"(data -> {name})", separator=statement.bind(source.separator), text=text)
