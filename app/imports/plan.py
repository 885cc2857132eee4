"""What an import was asked to do, settled at acceptance and stored with the run, so that every slice does the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from app.formats.records import Dialect

WISH = "wish"
BlankCells = Literal["keep", "clear", "empty"]
Duplicates = Literal["last", "first", "error"]


@dataclass(frozen=True, slots=True)
class Options:
    """How rows meet the records that are there already (DECISIONS §3)."""

    override_existing: bool = True
    only_empty: bool = False  # write only fields that are absent, null or "" in the store
    blank_cells: BlankCells = "keep"  # an empty cell leaves the field, sets null, or stores ""
    null_marker: str | None = None  # a cell equal to it is skipped
    duplicates: Duplicates = "last"  # the same key twice in one file
    unknown_columns: Literal["ignore", "keep", "error"] | None = None  # None: as the type declares
    constants: Mapping[str, str] = field(default_factory=dict)  # field -> JSON text that every row of this import gets
    anonymous: bool = False  # a row that names no record makes one, where ids are made here; else it fails
    ledger: bool = False  # keep which rows made new records


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file and the field it fills. `index` is its place in a delimited file's header."""

    heading: str
    field: str
    index: int
    known: bool = True  # False: not declared, kept as text


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a caller wants a file read. `delimiter` may be "auto"; `format` and what headings mean as the surface rules.
    It is all that is known of a file that has yet to be fetched."""

    format: str | None = None
    delimiter: str = "auto"
    encoding: str | None = None
    caseless: bool = False  # headings match fields without regard to case
    headings: Mapping[str, str] | None = None  # the surface's own words for fields, in lower case
    columns: tuple[str, ...] = ()  # names of the cells, in place of a header
    has_header: bool = True  # False: the first row is data; with `columns`: it is thrown away


@dataclass(frozen=True, slots=True)
class Plan:
    """How the stored file is read and mapped. `declaration` is the account's own part of the type as it was when the
    run was accepted: a later change of the type does not change an import that waits."""

    dialect: Dialect
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    declaration: Any = None


def stored(value: Options | Plan | ReadOptions) -> dict[str, object]:
    """As JSON for the run's row. A wish stands there as long as there is no plan."""
    built: dict[str, object] = msgspec.to_builtins(value)
    return {WISH: built} if isinstance(value, ReadOptions) else built


def options_from(value: object) -> Options:
    return msgspec.convert(value, Options)


def read_options_from(value: Any) -> ReadOptions:
    """What was wished, from the plan of a run whose file is not here yet."""
    return msgspec.convert(value[WISH], ReadOptions)


def plan_from(value: object) -> Plan:
    return msgspec.convert(value, Plan)
