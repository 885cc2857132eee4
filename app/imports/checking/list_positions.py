"""Finds gaps in lists: a row that fills `variants.2` and not `variants.1` cannot create a record."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.imports.checking.cells import ABSENT, Cells
from app.imports.checking.path_columns import PathColumns
from app.resources.conversion import bad_cell
from app.resources.field_types import BadCell

PARSED_PATHS = 4_096  # kept at a time; a hostile file may name other paths in every row


@dataclass(frozen=True, slots=True)
class ListPosition:
    """A position in a list: `variants`, 2."""

    list: str
    number: int

    @property
    def path(self) -> str:
        return f"{self.list}.{self.number}"

    @property
    def previous(self) -> "ListPosition":
        return ListPosition(self.list, self.number - 1)

    @property
    def gap(self) -> BadCell:
        """What is wrong with a row that fills this position and not the previous one."""
        return bad_cell("position_gap", list=self.list, position=self.number, previous=self.number - 1)


Gap = tuple[int, ListPosition]  # the index of a row, and the position that it fills without the previous one


class PositionParser:
    """Which position of which list a path lies in. `lists` are the paths of a type's lists."""

    def __init__(self, lists: Sequence[str]) -> None:
        self._match = re.compile(rf"({'|'.join(map(re.escape, lists))})\.([0-9]+)(?:\.|$)").match if lists else None

    def parse(self, path: str) -> ListPosition | None:
        match = self._match(path) if self._match else None
        return ListPosition(match[1], int(match[2])) if match else None


class ColumnGaps:
    """Finds the gaps of delimited rows, where each position has columns of its own. A cell fills its position unless it
    holds the null marker."""

    def __init__(self, lists: Sequence[str], fields: Sequence[str]) -> None:
        parser = PositionParser(lists)
        self._columns_of: dict[ListPosition, list[int]] = {}
        for index, field in enumerate(fields):
            position = parser.parse(field)
            if position is not None:
                self._columns_of.setdefault(position, []).append(index)

    def find(self, columns: Sequence[Cells]) -> Iterator[Gap]:
        for position, here in self._columns_of.items():
            if not position.number:
                continue
            previous = self._columns_of.get(position.previous, ())
            for index in range(len(columns[here[0]].values)):
                if _fills_any(columns, here, index) and not _fills_any(columns, previous, index):
                    yield index, position


class PathGaps:
    """Finds the gaps of nested JSON objects. An empty object or list fills no position."""

    def __init__(self, lists: Sequence[str]) -> None:
        self._parse = lru_cache(PARSED_PATHS)(PositionParser(lists).parse)

    def find(self, columns: PathColumns) -> list[Gap]:
        positions = {path: position for path in columns.parts if (position := self._parse(path)) is not None}
        if not any(position.number for position in positions.values()):
            return []
        filled: dict[ListPosition, set[int]] = {}
        for path, position in positions.items():
            for rows, values, _ in columns.parts[path]:
                here = (row for row, value in zip(rows, values, strict=True) if not isinstance(value, dict | list))
                filled.setdefault(position, set()).update(here)
        gaps = [
            (row, position)
            for position, rows in filled.items()
            if position.number
            for row in rows - filled.get(position.previous, set())
        ]
        return sorted(gaps, key=lambda gap: (gap[0], gap[1].list, gap[1].number))


def _fills_any(columns: Sequence[Cells], indexes: Sequence[int], row: int) -> bool:
    return any(columns[index].values[row] is not ABSENT for index in indexes)
