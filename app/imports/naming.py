"""Which record each row speaks of: by what stands in its key fields, or by an id that this service makes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from app.resources.cells import compile_key, normalize_key
from app.resources.schema import Field, Resource, Surrogate

ID_BYTES = 12  # of a made id, written as twice as many hexadecimal characters

# The cells of a batch by field; a cell that is no text (absent, null, a number of JSON) may be anything.
Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class Named:
    """The keys of a batch's rows ("" where a row names no record), what the rows call their records (for reports, and
    for the limit on its length), and the rows whose record has to be there already, by index."""

    keys: Sequence[str]
    called: Sequence[str]
    required: Sequence[int] = ()


class Naming(Protocol):
    def names(self, columns: Columns, rows: Sequence[int], /) -> Named:
        """`rows` are the numbers of the rows in the file."""


@dataclass(frozen=True, slots=True)
class IdScope:
    """On whose behalf ids are made."""

    account_id: int
    run_id: str


def naming_of(resource: Resource, whose: IdScope, *, anonymous: bool) -> Naming:
    """`anonymous`: a row that names no record makes one."""
    if resource.surrogate is None:
        return ByFields(tuple(filter(None, (resource.field(name) for name in resource.keys))))
    return BySurrogate(resource.surrogate, whose, anonymous=anonymous)


class ByFields:
    """A row's key is the first of the key fields that is filled."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = [(field.id, compile_key(field)) for field in fields]

    def names(self, columns: Columns, _rows: Sequence[int], /) -> Named:
        there = [(columns[name], key_of) for name, key_of in self._fields if name in columns]
        keys, *others = (list(map(key_of, texts_of(cells))) for cells, key_of in there)
        for other in others:
            keys = [key or second for key, second in zip(keys, other, strict=True)]
        return Named(keys, keys)


class BySurrogate:
    """A row's key is the id that it names, else one made of the caller's own id, else a new one: made of where the row
    stands, so that a batch that is written again makes the same."""

    def __init__(self, surrogate: Surrogate, whose: IdScope, *, anonymous: bool) -> None:
        self._surrogate, self._whose, self._anonymous = surrogate, whose, anonymous
        self._text = compile_key(Field(surrogate.source, "text"))

    def names(self, columns: Columns, rows: Sequence[int], /) -> Named:
        account = self._whose.account_id
        sources = self._texts(columns.get(self._surrogate.source), len(rows))
        keys = [made(self._surrogate, f"{account}:{source}") if source else "" for source in sources]
        if self._anonymous and "" in keys:
            keys = [
                key or (self._new(row) if anything(columns, index) else "")
                for index, (key, row) in enumerate(zip(keys, rows, strict=True))
            ]
        ids = self._texts(columns.get(self._surrogate.id), len(rows))
        required = [index for index, given in enumerate(ids) if given]
        for index in required:
            keys[index] = ids[index]
        cells = columns.get(self._surrogate.source)
        # A value of JSON that is no text fails its row, and has no spelling to show.
        called = (
            sources
            if cells is None
            else [text if isinstance(cell, str) else "" for cell, text in zip(cells, sources, strict=True)]
        )
        return Named(keys, called, required)

    def _texts(self, cells: Sequence[object] | None, count: int) -> Sequence[str]:
        return [""] * count if cells is None else list(map(self._text, texts_of(cells)))

    def _new(self, row: int) -> str:
        # A run's id has 24 characters, an account's at most ten: this cannot meet the id made of a source.
        return made(self._surrogate, f"{self._whose.run_id}:{row}")


def anything(columns: Columns, index: int) -> bool:
    """Whether a row has any cell that is filled: spreadsheets write lines of nothing but delimiters."""
    return any(as_text(cells[index]).strip() for cells in columns.values())


def named_key(surrogate: Surrogate, account_id: int, source: str) -> str:
    """The key of the account's record that the caller calls `source`."""
    return made(surrogate, f"{account_id}:{normalize_key(Field(surrogate.source, 'text'), source)}")


def made(surrogate: Surrogate, of: str) -> str:
    return surrogate.prefix + blake2b(of.encode(), digest_size=ID_BYTES).hexdigest()


def texts_of(cells: Sequence[object]) -> Iterable[str]:
    return cells if set(map(type, cells)) == {str} else map(as_text, cells)  # type: ignore[return-value]


def as_text(cell: object) -> str:
    return cell if isinstance(cell, str) else "" if cell is None or cell is ABSENT else str(cell)


ABSENT = object()  # a member that a JSON record does not have
