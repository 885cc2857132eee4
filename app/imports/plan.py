"""What an import was asked to do: settled at acceptance and stored with the run, so that every slice does the same."""

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from app.formats.records import Dialect
from app.mappings.columns import Column
from app.mappings.mapping import Mapping
from app.runs.model import Run

BlankCells = Literal["keep", "clear", "empty"]
Duplicates = Literal["last", "first", "error"]


@dataclass(frozen=True, slots=True)
class Options:
    """How rows meet the records that exist already (DECISIONS §3)."""

    override_existing: bool = True
    only_empty: bool = False  # write only fields that are absent, null or "" in the store
    blank_cells: BlankCells = "keep"  # an empty cell leaves the field, sets it to null, or stores ""
    null_marker: str | None = None  # a cell equal to it is skipped
    duplicates: Duplicates = "last"  # which of several rows with one key counts; "error": the later ones fail
    unknown_columns: Literal["ignore", "keep", "error"] | None = None  # None: as the type declares
    anonymous: bool = False  # a row without a key creates a record, if this service makes the type's ids; else it fails
    ledger: bool = False  # remember which rows created records


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How the caller says a file is to be read. What is None, or "auto" for the delimiter, is found from the file."""

    format: str | None = None
    delimiter: str = "auto"
    encoding: str | None = None  # of a file that is fetched; an upload is decoded while it arrives


@dataclass(frozen=True, slots=True)
class Plan:
    """How a stored file is read, and which column fills which field. `declaration` is the account's own part of the
    type at acceptance: changing the type later does not change an import that waits."""

    dialect: Dialect
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    declaration: Any = None
    constants: dict[str, str] = field(default_factory=dict)  # field -> JSON text that every record gets


@dataclass(frozen=True, slots=True)
class PendingPlan:
    """What is known before the file has been fetched. A run holds it in place of a Plan until then."""

    read: ReadOptions
    mapping: Mapping


def to_json(value: Options | Plan | PendingPlan) -> dict[str, object]:
    """The value as JSON for the run's row."""
    built: dict[str, object] = msgspec.to_builtins(value)
    return built


def load_options(run: Run) -> Options:
    return msgspec.convert(run.options, Options)


def is_pending(run: Run) -> bool:
    """Whether the run's file has yet to be fetched."""
    return "dialect" not in run.plan


def load_plan(run: Run) -> Plan:
    """The plan of a run whose file is stored."""
    # Runs accepted before there were mappings have their constants among the options.
    return msgspec.convert({"constants": run.options.get("constants", {}), **run.plan}, Plan)


def load_pending_plan(run: Run) -> PendingPlan:
    """The plan of a run whose file has yet to be fetched."""
    if "wish" in run.plan:  # accepted before there were mappings
        old = run.plan["wish"]
        read = ReadOptions(old["format"], old["delimiter"], old["encoding"])
        mapping = Mapping(
            ignore_case=old["caseless"],
            has_header=old["has_header"],
            header=tuple(old["columns"]),
            constants=run.options.get("constants", {}),
        )
        return PendingPlan(read, mapping)
    return msgspec.convert(run.plan, PendingPlan)
