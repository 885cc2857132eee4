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

    def bind(self, value: object, type: str = "text") -> str:
        """The parameter that stands for the value."""
        self.values.append(value)
        return f"CAST(${len(self.values)} AS {type})"


def count_records(selection: Selection) -> Statement:
    statement = Statement()
    statement.text = f"SELECT count(*) FROM records WHERE {build_where(statement, selection)}"
    return statement


def list_members(selection: Selection) -> Statement:
    """The names of all members that occur."""
    statement = Statement()
    where = build_where(statement, selection)
    statement.text = f"SELECT DISTINCT jsonb_object_keys(data) AS name FROM records WHERE {where} ORDER BY name"
    return statement


def select_cells(selection: Selection, sources: Sequence[CellSource]) -> Statement:
    """A column for each source. Empty text and null are both an empty cell."""
    statement = Statement()
    cells = ", ".join(build_cell(statement, each) for each in sources)
    statement.text = f"SELECT {cells} FROM records WHERE {build_where(statement, selection)} ORDER BY key"
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
