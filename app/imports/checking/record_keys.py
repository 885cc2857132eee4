"""Finds the key of each row's record: what its key fields hold, or an id that this service generates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.imports.checking.cells import ABSENT, ALL_TEXT
from app.resources.field_types import compile_key
from app.resources.schema import Field, Resource, Surrogate
from app.resources.stored_keys import generate_id

# The cells of a batch by field. A cell that is not text (absent, null, a number of JSON) may be anything.
CellsByField = Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class RowKeys:
    """`keys` are the keys of a batch's records, "" where a row has none. `caller_keys` are what the rows themselves
    call their records: reports show them, and the limit on the length of a key is theirs. `must_exist` are the indexes
    of rows whose record has to be there already."""

    keys: Sequence[str]
    caller_keys: Sequence[str]
    must_exist: Sequence[int] = ()

    def find_new(self) -> Sequence[int]:
        """The indexes of the other rows."""
        named = frozenset(self.must_exist)
        return [index for index in range(len(self.keys)) if index not in named]

    def list_usable(self, limit: int, indexes: Iterable[int]) -> list[str]:
        """The keys of these rows, as far as there are any that are not too long."""
        return [self.keys[each] for each in indexes if self.keys[each] and len(self.caller_keys[each]) <= limit]


class KeyFinder(Protocol):
    def find_keys(self, cells: CellsByField, row_numbers: Sequence[int], /) -> RowKeys:
        """`row_numbers` are those of the rows in the file."""


@dataclass(frozen=True, slots=True)
class IdScope:
    """What ids are generated from. Within an account the same source always gives the same id. A row without a source
    gets an id from `seed` and its number: the id of its run, so that a batch that is written again gives the same."""

    account_id: int
    seed: str  # 24 characters


def build_key_finder(resource: Resource, id_scope: IdScope, *, anonymous: bool, makes_keys: bool) -> KeyFinder:
    """`anonymous`: a row that has no key creates a record. `makes_keys`: so it does, and its type generates keys."""
    if makes_keys:
        return GivenOrNewKeys(Field(resource.keys[0], "text"), id_scope)
    if resource.surrogate is None:
        return FieldKeys(tuple(filter(None, (resource.field(name) for name in resource.keys))))
    return GeneratedKeys(resource.surrogate, id_scope, anonymous=anonymous)


class FieldKeys:
    """The key is the value of the first key field that is filled."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = [(field.id, compile_key(field)) for field in fields]

    def find_keys(self, cells: CellsByField, _row_numbers: Sequence[int], /) -> RowKeys:
        columns = [(cells[name], key_of) for name, key_of in self._fields if name in cells]
        keys, *others = (list(map(key_of, as_texts(column))) for column, key_of in columns)
        for other in others:
            keys = [key or second for key, second in zip(keys, other, strict=True)]
        return RowKeys(keys, keys)


class GivenOrNewKeys:
    """The key is what the key field holds, that of a record which must exist, or else a new one."""

    def __init__(self, field: Field, id_scope: IdScope) -> None:
        self._field, self._seed, self._key_of = field.id, id_scope.seed, compile_key(field)

    def find_keys(self, cells: CellsByField, row_numbers: Sequence[int], /) -> RowKeys:
        column = cells.get(self._field, [""] * len(row_numbers))
        given = list(map(self._key_of, as_texts(column)))
        keys = [key or generate_id("", f"{self._seed}:{row}") for key, row in zip(given, row_numbers, strict=True)]
        return RowKeys(keys, given, [index for index, key in enumerate(given) if key])


class GeneratedKeys:
    """The key is the id in the row, else one generated from the caller's own id (the source), else a new one."""

    def __init__(self, surrogate: Surrogate, id_scope: IdScope, *, anonymous: bool) -> None:
        self._surrogate, self._scope, self._anonymous = surrogate, id_scope, anonymous
        self._key_of = compile_key(Field(surrogate.source, "text"))

    def find_keys(self, cells: CellsByField, row_numbers: Sequence[int], /) -> RowKeys:
        source_cells = cells.get(self._surrogate.source)
        sources = self._as_keys(source_cells, len(row_numbers))
        keys = self._generate_keys(cells, sources, row_numbers)
        ids = self._as_keys(cells.get(self._surrogate.id), len(row_numbers))
        must_exist = [index for index, given_id in enumerate(ids) if given_id]
        for index in must_exist:
            keys[index] = ids[index]
        if source_cells is None:
            return RowKeys(keys, sources, must_exist)
        # A JSON value that is not text fails its row, and there is nothing to show as its key.
        shown = [text if isinstance(cell, str) else "" for cell, text in zip(source_cells, sources, strict=True)]
        return RowKeys(keys, shown, must_exist)

    def _as_keys(self, column: Sequence[object] | None, count: int) -> Sequence[str]:
        return [""] * count if column is None else list(map(self._key_of, as_texts(column)))

    def _generate_keys(self, cells: CellsByField, sources: Sequence[str], row_numbers: Sequence[int]) -> list[str]:
        account = self._scope.account_id
        prefix = self._surrogate.prefix
        keys = [generate_id(prefix, f"{account}:{source}") if source else "" for source in sources]
        if not self._anonymous or "" not in keys:
            return keys
        # A seed has 24 characters and an account's id at most ten: no new id equals one generated from a source.
        return [
            key or (generate_id(prefix, f"{self._scope.seed}:{row}") if has_any_value(cells, index) else "")
            for index, (key, row) in enumerate(zip(keys, row_numbers, strict=True))
        ]


def has_any_value(cells: CellsByField, index: int) -> bool:
    """Whether any cell of the row is filled: spreadsheets write lines of nothing but delimiters."""
    return any(as_text(column[index]).strip() for column in cells.values())


def as_texts(column: Sequence[object]) -> Iterable[str]:
    return column if set(map(type, column)) == ALL_TEXT else map(as_text, column)  # type: ignore[return-value]


def as_text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    return "" if cell is None or cell is ABSENT else str(cell)
