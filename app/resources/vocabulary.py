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


@dataclass(frozen=True, slots=True)
class Resource:
    """A type of record. `keys` are the fields that identify a record: the first that is filled in a row is its key."""

    name: str
    keys: tuple[str, ...]
    fields: tuple[Field, ...]
    unknown_columns: UnknownColumns = "ignore"
    fixed: str | None = None  # a field that never changes once the record exists (a coupon's set)
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field id -> values for sample.csv

    def field(self, id: str) -> Field | None:
        """The field of that id, spelled exactly so."""
        return next((each for each in self.fields if each.id == id), None)
