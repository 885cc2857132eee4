"""Turns nested JSON objects into columns by path (`variants.0.sku`): a whole batch at once, rows of one shape together.

It does for a batch what `app.resources.paths.flatten` does for one object, and gives the same.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple, TypeVar

from app.imports.checking.cells import ABSENT, Cells, CellTypes
from app.problems import RowError
from app.resources.paths import MAX_MEMBERS, MAX_PATH_LENGTH, flatten

Rows = Sequence[int]  # indexes of records in the batch
Values = Sequence[object]
V = TypeVar("V")
S = TypeVar("S", bound=Hashable)


class PathCells(NamedTuple):
    """The values at one path in some rows, and their types."""

    rows: Rows
    values: Values
    types: CellTypes


@dataclass(slots=True)
class PathColumns:
    """The values at each path of a batch, in several parts where rows of different shapes have the path. A value is a
    scalar, or an empty object or list."""

    count: int  # of rows
    parts: dict[str, list[PathCells]] = field(default_factory=dict)
    suspect: set[int] = field(default_factory=set)  # rows that `flatten` may refuse; it has the last word on them
    nested: bool = False  # some object or list is inside another

    def column(self, path: str) -> Cells:
        """One cell for every row of the batch, ABSENT where a row has none."""
        parts = self.parts.get(path, ())
        if len(parts) == 1 and len(parts[0].rows) == self.count:
            return Cells(parts[0].values, parts[0].types)
        cells: list[object] = [ABSENT] * self.count
        for rows, values, _ in parts:
            for row, value in zip(rows, values, strict=True):
                cells[row] = value
        return Cells(cells, set(map(type, cells)))


def build_path_columns(records: Sequence[Mapping[str, object]]) -> PathColumns:
    columns = PathColumns(len(records))
    _add_objects(columns, "", range(len(records)), records)
    if not columns.nested:
        columns.suspect.clear()
    elif len(columns.parts) > MAX_MEMBERS:  # with fewer paths in all no row can have too many
        columns.suspect.update(range(len(records)))
    return columns


def find_unfit_rows(columns: PathColumns, records: Sequence[Mapping[str, object]]) -> dict[int, RowError]:
    """The rows that cannot be split into paths, and why: a path occurs twice or is too long, or there are too many."""
    checked = ((row, flatten(records[row])) for row in sorted(columns.suspect))
    return {row: verdict for row, verdict in checked if isinstance(verdict, tuple)}


def _add_objects(columns: PathColumns, before: str, rows: Rows, objects: Sequence[Mapping[str, object]]) -> None:
    for names, (alike_rows, alike) in _group_by(tuple, rows, objects):
        # Two members can only have the same path when a name has a dot in it.
        if any("." in name for name in names):
            columns.suspect.update(alike_rows)
        for name in names:
            _add_values(columns, before + name, alike_rows, list(map(itemgetter(name), alike)))


def _add_lists(columns: PathColumns, before: str, rows: Rows, lists: Sequence[list[object]]) -> None:
    for length, (alike_rows, alike) in _group_by(len, rows, lists):
        for position in range(length):
            _add_values(columns, f"{before}{position}", alike_rows, list(map(itemgetter(position), alike)))


def _add_values(columns: PathColumns, path: str, rows: Rows, values: Values) -> None:
    if len(path) > MAX_PATH_LENGTH:
        columns.suspect.update(rows)
    types = set(map(type, values))
    if dict in types or list in types:
        columns.nested = True
        rows, values = _add_inner(columns, f"{path}.", rows, values)
        types = set(map(type, values))
    if rows:
        columns.parts.setdefault(path, []).append(PathCells(rows, values, types))


def _add_inner(columns: PathColumns, before: str, rows: Rows, values: Values) -> tuple[Rows, Values]:
    """Descends into objects and lists that are not empty; returns the values that are left, and their rows."""
    if all(values) and len(types := set(map(type, values))) == 1:
        add = _add_objects if types == {dict} else _add_lists
        add(columns, before, rows, values)  # type: ignore[arg-type]
        return (), ()
    objects = [(row, value) for row, value in zip(rows, values, strict=True) if isinstance(value, dict) and value]
    lists = [(row, value) for row, value in zip(rows, values, strict=True) if isinstance(value, list) and value]
    if objects:
        _add_objects(columns, before, [row for row, _ in objects], [value for _, value in objects])
    if lists:
        _add_lists(columns, before, [row for row, _ in lists], [value for _, value in lists])
    if len(objects) + len(lists) == len(rows):
        return (), ()
    leaves = [
        (row, value) for row, value in zip(rows, values, strict=True) if not (value and isinstance(value, dict | list))
    ]
    return [row for row, _ in leaves], [value for _, value in leaves]


def _group_by(shape: Callable[[V], S], rows: Rows, values: Sequence[V]) -> Iterable[tuple[S, tuple[Rows, Sequence[V]]]]:
    """The rows and values of each shape; most batches have one."""
    shapes = set(map(shape, values))
    if len(shapes) == 1:
        return [(shapes.pop(), (rows, values))]
    groups: dict[S, tuple[list[int], list[V]]] = {}
    for row, value in zip(rows, values, strict=True):
        alike_rows, alike = groups.setdefault(shape(value), ([], []))
        alike_rows.append(row)
        alike.append(value)
    return groups.items()
