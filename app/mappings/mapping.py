"""A mapping says which column of a file fills which field of a record type, and what every record also gets."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from app.formats.header import name_position

# What is done to the cells of a column: names of `app.mappings.conversions.CONVERSIONS` and their values.
Conversions = dict[str, Any]

Matching = Literal["exact", "caseless", "loose"]
DEFAULT, INLINE = "default", "inline"  # `id` of a mapping that is not stored


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """The column with this heading fills this field; "" if the column is ignored. A column with a
    `position` (the first is 0) is found by that, and has no heading."""

    heading: str
    field: str
    position: int | None = None
    conversions: Conversions = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call the column: its heading, or its number."""
        return self.heading if self.position is None else name_position(self.position)


@dataclass(frozen=True, slots=True)
class Mapping:
    """How the columns of a file become the fields of a record. It is stored with its run as JSON.

    Without `columns` a heading is the id of its field. With `columns` only what is listed there has a field; every
    other column is unknown to the type. Release 0.1 reads neither positions nor conversions, and leaves runs of this
    release alone (ADR 35).
    """

    columns: tuple[MappedColumn, ...] = ()
    # What else counts as the heading: nothing; one that differs in case alone; or one that looks the same to people.
    # An exact match always wins.
    matching: Matching = "exact"
    has_header: bool = True  # False: the first row of a delimited file is data
    header: tuple[str, ...] = ()  # headings that replace the file's own; a header in the file is then skipped
    constants: dict[str, str] = dataclasses.field(
        default_factory=dict
    )  # field -> JSON text that every record of the run gets
    options: dict[str, Any] = dataclasses.field(default_factory=dict)  # of a request, for those who do not send them
    id: str = DEFAULT  # `inline` if the request brought it, else the id under which it is stored
    name: str = ""

    @property
    def is_native(self) -> bool:
        """Whether its columns are a caller's, and not those of a vendor's contract."""
        return bool(self.columns) and self.matching == "loose"
