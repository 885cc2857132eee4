"""A mapping says which column of a file fills which field of a record type, and what every record also gets."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """The column with this heading fills this field."""

    heading: str
    field: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """How the columns of a file become the fields of a record. It is stored with its run as JSON.

    Without `columns` a heading is the id of its field. With `columns` only the headings listed there have a field;
    every other column is unknown to the type.
    """

    columns: tuple[MappedColumn, ...] = ()
    ignore_case: bool = False  # an exact match still wins over one that differs in case
    has_header: bool = True  # False: the first row of a delimited file is data
    header: tuple[str, ...] = ()  # headings that replace the file's own; a header in the file is then skipped
    constants: dict[str, str] = field(default_factory=dict)  # field -> JSON text that every record of the run gets
