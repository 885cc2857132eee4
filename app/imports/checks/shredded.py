"""Nested records shredded into columns by their paths: a whole batch at once, rows of one shape together."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple, TypeVar

from app.imports.naming import ABSENT
from app.problems import RowError
from app.resources.paths import MAX_MEMBERS, MAX_PATH_LENGTH, flatten

Rows = Sequence[int]  # indexes of records in the batch
Values = Sequence[object]
Kinds = AbstractSet[type]
V = TypeVar("V")
S = TypeVar("S", bound=Hashable)


class Part(NamedTuple):
    """What stands at a path in some rows, and of what types it is."""

    rows: Rows
    values: Values
    kinds: Kinds


@dataclass(slots=True)
class Shredded:
    """What stands at each path, in several parts where rows of several shapes have it. An empty object or list is a
    value. `suspect` are the rows that `flatten` may refuse; it has the last word on them."""

    count: int
    parts: dict[str, list[Part]] = field(default_factory=dict)
    suspect: set[int] = field(default_factory=set)
    nested: bool = False  # any object or list was inside another

    def column(self, path: str) -> Part:
        """One value for every row of the batch, ABSENT where a row has none."""
        parts = self.parts.get(path, ())
        if len(parts) == 1 and len(parts[0].rows) == self.count:
            return parts[0]
        cells: list[object] = [ABSENT] * self.count
        for rows, values, _ in parts:
            for row, value in zip(rows, values, strict=True):
                cells[row] = value
        return Part(range(self.count), cells, set(map(type, cells)))


def shredded(records: Sequence[Mapping[str, object]]) -> Shredded:
    found = Shredded(len(records))
    _objects(found, "", range(len(records)), records)
    if not found.nested:
        found.suspect.clear()
    elif len(found.parts) > MAX_MEMBERS:  # else no row can have so many
        found.suspect.update(range(len(records)))
    return found


def refused(found: Shredded, records: Sequence[Mapping[str, object]]) -> dict[int, RowError]:
    """What is wrong with the rows that cannot be put by paths."""
    looked_at = ((row, flatten(records[row])) for row in sorted(found.suspect))
    return {row: verdict for row, verdict in looked_at if isinstance(verdict, tuple)}


def _objects(found: Shredded, before: str, rows: Rows, objects: Sequence[Mapping[str, object]]) -> None:
    for names, (those, alike) in _by_shape(rows, objects, tuple):
        # Only with a dot in a name can two places have the same path.
        if any("." in name for name in names):
            found.suspect.update(those)
        for name in names:
            _column(found, before + name, those, list(map(itemgetter(name), alike)))


def _lists(found: Shredded, before: str, rows: Rows, lists: Sequence[list[object]]) -> None:
    for length, (those, alike) in _by_shape(rows, lists, len):
        for position in range(length):
            _column(found, f"{before}{position}", those, list(map(itemgetter(position), alike)))


def _column(found: Shredded, path: str, rows: Rows, values: Values) -> None:
    if len(path) > MAX_PATH_LENGTH:
        found.suspect.update(rows)
    kinds = set(map(type, values))
    if dict in kinds or list in kinds:
        found.nested = True
        rows, values = _inner(found, f"{path}.", rows, values)
        kinds = set(map(type, values))
    if rows:
        found.parts.setdefault(path, []).append(Part(rows, values, kinds))


def _inner(found: Shredded, before: str, rows: Rows, values: Values) -> tuple[Rows, Values]:
    """Goes into the objects and lists with anything in them; the others stay."""
    if all(values) and len(kinds := set(map(type, values))) == 1:
        inside = _objects if kinds == {dict} else _lists
        inside(found, before, rows, values)  # type: ignore[arg-type]
        return (), ()
    objects = [(row, value) for row, value in zip(rows, values, strict=True) if isinstance(value, dict) and value]
    lists = [(row, value) for row, value in zip(rows, values, strict=True) if isinstance(value, list) and value]
    if objects:
        _objects(found, before, [row for row, _ in objects], [value for _, value in objects])
    if lists:
        _lists(found, before, [row for row, _ in lists], [value for _, value in lists])
    if len(objects) + len(lists) == len(rows):
        return (), ()
    leaves = [
        (row, value) for row, value in zip(rows, values, strict=True) if not (value and isinstance(value, dict | list))
    ]
    return [row for row, _ in leaves], [value for _, value in leaves]


def _by_shape(rows: Rows, values: Sequence[V], shape: Callable[[V], S]) -> Iterable[tuple[S, tuple[Rows, Sequence[V]]]]:
    """The rows and values of each shape; most often there is one."""
    shapes = set(map(shape, values))
    if len(shapes) == 1:
        return [(shapes.pop(), (rows, values))]
    groups: dict[S, tuple[list[int], list[V]]] = {}
    for row, value in zip(rows, values, strict=True):
        those, alike = groups.setdefault(shape(value), ([], []))
        those.append(row)
        alike.append(value)
    return groups.items()
