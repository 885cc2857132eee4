"""Checks the rows that make records of a type whose keys are generated, and gives them what they leave out.

Only there does a row tell by itself that it makes a record: it has no key.
"""

from collections.abc import Collection, Mapping, Sequence

from app.imports.checking.cells import is_filled
from app.imports.checking.findings import Findings
from app.imports.checking.json_objects import MemberColumn, format_member
from app.imports.checking.record_keys import CellsByField, RowKeys
from app.resources.conversion import bad_cell, quote_json
from app.resources.field_types import compile_cell
from app.resources.schema import Field, Resource

EMPTY_ROW = bad_cell("empty_row")
REQUIRED = bad_cell("required")


class NewRecords:
    def __init__(self, resource: Resource, columns: Collection[str], constants: Collection[str]) -> None:
        """The fields that a column fills, and those that have the same value in all rows."""
        fields = [field for field in resource.fields if field.id not in constants]
        self._key = resource.keys[0]
        self._missing = [field.id for field in fields if field.required and field.id not in columns]
        self._given = [field for field in fields if field.default or field.made_from]

    def complete(
        self, cells: CellsByField, members: Mapping[str, MemberColumn], keys: RowKeys, new: Sequence[int]
    ) -> list[MemberColumn]:
        """The keys of all records, and what the new ones get: the defaults of fields that their rows leave alone, and
        texts that are made from others. `members` are the converted columns by field, `new` the indexes of rows."""
        given = [MemberColumn(self._key, list(map(quote_json, keys.keys)))]
        for field in self._given:
            column = members.get(field.id)
            if column is not None and column.name is not None:
                continue
            texts = [""] * len(keys.keys)
            lacking = new if column is None else [index for index in new if not column.texts[index]]
            for index, text in zip(lacking, make_members(field, cells, lacking), strict=True):
                texts[index] = text
            given.append(MemberColumn(None, texts))
        return given

    def check(
        self, cells: CellsByField, others: Sequence[MemberColumn], new: Sequence[int], findings: Findings
    ) -> None:
        """Fails rows that fill nothing, neither a planned column nor another member, and those that lack a required
        field for which the file has no column."""
        empty = new
        for column in cells.values():
            empty = [index for index in empty if not is_filled(column[index])]
        for index in empty:
            if not any(column.texts[index] for column in others):
                findings.add(index, EMPTY_ROW)
        for field_id in self._missing:
            for index in new:
                findings.add(index, REQUIRED, field=field_id)


def make_members(field: Field, cells: CellsByField, rows: Sequence[int]) -> list[str]:
    if not field.made_from:
        return [format_member(field.id, field.default)] * len(rows)
    source, convert = cells.get(field.made_from), compile_cell(field)
    if source is None:
        return [""] * len(rows)
    made = [convert(text) if isinstance(text := source[index], str) and text else "" for index in rows]
    return [format_member(field.id, text) if isinstance(text, str) and text else "" for text in made]
