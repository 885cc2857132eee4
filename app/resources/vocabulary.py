"""The words in which a record type is declared: its fields, its key, what it does with a column it does not know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
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
    lenient: bool = False  # takes what is written around it: a date with a time, a phone number with blanks


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Records are known by an id that this service makes. A row names one by its field `id` (then it has to be there),
    else by its field `source`, the caller's own id, which never changes; one that names none is a new record."""

    prefix: str  # of the id
    id: str
    source: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A type of record. `keys` are the fields that identify a record: the first that is filled in a row is its key."""

    name: str
    keys: tuple[str, ...]
    fields: tuple[Field, ...]
    unknown_columns: UnknownColumns = "ignore"
    kept_under: str = ""  # what an unknown column that is kept is called: this and its heading
    surrogate: Surrogate | None = None  # None: the key is what stands in the field
    fixed: str | None = None  # a field that never changes once the record exists (a coupon's set)
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field id -> values for sample.csv

    def field(self, id: str) -> Field | None:
        """The field of that id, spelled exactly so."""
        return next((each for each in self.fields if each.id == id), None)

    def kept_as(self, name: str) -> str:
        """The field of a column that no field declares, where such are kept."""
        return name if name.startswith(self.kept_under) else self.kept_under + name
