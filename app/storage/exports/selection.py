"""Which records of an account an export reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "isEmpty"]
# How values are compared: as texts by their code points, as numbers, as moments that are written in UTC, or each item
# of a list by itself.
Comparison = Literal["text", "number", "moment", "items"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, compared with values as they are stored. `is_key`: the field holds the key, which is no member."""

    member: str
    is_key: bool
    comparison: Comparison
    operator: Operator
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """All of it must be true of a record. None: it does not matter. `fields` are the columns to write."""

    updated_since: datetime | None = None
    created_since: datetime | None = None
    import_id: str | None = None  # the import that last changed it
    keys: tuple[str, ...] | None = None
    fields: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """The records of one type that a filter lets through, and their order: that of their keys, or `as_made`, which
    takes a sort. Records that others of their type name were made before them: only so can the file be imported."""

    account_id: int
    type: str
    filter: Filter = Filter()
    as_made: bool = False
    compressed: bool = False  # PostgreSQL has compressed at least one of the records

    @property
    def order(self) -> str:
        return "created_at, key" if self.as_made else "key"
