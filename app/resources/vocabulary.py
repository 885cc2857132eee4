"""The words in which a record type is declared: its fields, its key, what it does with a column it does not know."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Literal

UnknownColumns = Literal["ignore", "keep", "error"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record. `type` is a key of app.resources.cells.TYPES; the limits mean what they say for that type
    (`min` and `max` bound numbers, `max_length` counts characters, `options` are the words of an enum or a list)."""

    id: str
    type: str
    required: bool = False  # must be filled when a record is created
    options: tuple[str, ...] = ()
    min: Decimal | None = None
    max: Decimal | None = None
    max_length: int | None = None
    separator: str = "|"  # between the values of a list
    read_only: bool = False  # a column of this name is ignored, with a warning
    # Takes what is written around it: a date with a time, a phone number with blanks; of JSON Lines a text given as a
    # whole number, a truth value given as 1 or 0.
    lenient: bool = False
    kept: bool = False  # of JSON Lines any value as it came; of a delimited file its text


@dataclass(frozen=True, slots=True)
class Family:
    """Fields of one kind in a nested record. In `path` a segment `#` stands for any position of a list (0 to 999), and
    `*` at its end for any path: `variants.#.attr.*`. `field.id` is the path itself."""

    path: str
    field: Field


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Records are known by an id that this service makes. A row names one by its field `id` (then it has to be there),
    else by its field `source`, the caller's own id, which never changes; one that names none is a new record."""

    prefix: str  # of the id
    id: str
    source: str


SEGMENTS = {"#": r"(?:0|[1-9][0-9]{0,2})", "*": r"[^\0]+"}


def family(path: str, type: str, *, lenient: bool = False, kept: bool = False) -> Family:
    return Family(path, Field(path, type, lenient=lenient, kept=kept))


@lru_cache(maxsize=1_024)
def pattern_of(path: str) -> re.Pattern[str]:
    """Of a family's path, or of a beginning of one."""
    return re.compile(r"\.".join(SEGMENTS.get(segment) or re.escape(segment) for segment in path.split(".")))


@lru_cache(maxsize=8_192)
def member_of(families: tuple[Family, ...], id: str) -> Field | None:
    """The field of that id in one of the families."""
    found = next((each for each in families if pattern_of(each.path).fullmatch(id)), None)
    return replace(found.field, id=id) if found else None


@dataclass(frozen=True, slots=True)
class Resource:
    """A type of record. `keys` are the fields that identify a record: the first that is filled in a row is its key.
    With `families` records are nested on the outside; inside a field's id is its path, `variants.0.sku`."""

    name: str
    keys: tuple[str, ...]
    fields: tuple[Field, ...]
    unknown_columns: UnknownColumns = "ignore"
    kept_under: str = ""  # what an unknown column that is kept is called: this and its heading
    surrogate: Surrogate | None = None  # None: the key is what stands in the field
    fixed: str | None = None  # a field that never changes once the record exists (a coupon's set)
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field id -> values for sample.csv
    families: tuple[Family, ...] = ()

    def field(self, id: str) -> Field | None:
        """The field of that id, spelled exactly so."""
        found = next((each for each in self.fields if each.id == id), None)
        return member_of(self.families, id) if found is None and self.families else found

    @property
    def outer(self) -> re.Pattern[str]:
        """Paths inside which fields lie: `variants`, `variants.0`, `sale`."""
        paths = [*(each.id for each in self.fields), *(each.path for each in self.families)]
        starts = dict.fromkeys(start for path in paths for start in beginnings(path))
        return re.compile("|".join(pattern_of(start).pattern for start in starts))

    @property
    def lists(self) -> tuple[str, ...]:
        """The paths of lists: `variants`."""
        found = (each.path.partition(".#")[0] for each in self.families if ".#" in each.path)
        return tuple(dict.fromkeys(found))

    def kept_as(self, name: str) -> str:
        """The field of a column that no field declares, where such are kept."""
        return name if name.startswith(self.kept_under) else self.kept_under + name


def beginnings(path: str) -> list[str]:
    """`variants`, `variants.#` of `variants.#.sku`."""
    segments = path.split(".")
    return [".".join(segments[:end]) for end in range(1, len(segments))]
