"""What an import was asked to do: settled at acceptance and stored with the run, so that every slice does the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from app.errors import Complaint
from app.formats.records import Dialect
from app.imports.seen import SeenColumns
from app.mappings.columns import Column
from app.mappings.mapping import DEFAULT, MappedColumn, Mapping
from app.runs.holding.brakes import BRAKES, REMOVAL, Brakes
from app.runs.model import Run
from app.storage.json_columns import compile_reader

BlankCells = Literal["keep", "clear", "empty"]
Duplicates = Literal["last", "first", "error"]
OnError = Literal["continue", "stop", "rollback"]
ON_ERROR: tuple[OnError, ...] = ("continue", "stop", "rollback")
IfSameFile = Literal["allow", "report", "refuse"]


@dataclass(frozen=True, slots=True)
class Options:
    """How rows meet the records that exist already (DECISIONS §3)."""

    override_existing: bool = True
    only_empty: bool = False  # write only fields that are absent, null or "" in the store
    brakes: Brakes | None = None
    released: bool = False  # somebody has seen why a brake stopped it, and resumed it
    accepted: Brakes | None = None  # the limits within which that somebody accepts what it comes to
    blank_cells: BlankCells = "keep"  # an empty cell leaves the field, sets it to null, or stores ""
    null_marker: str | None = None  # a cell equal to it is skipped
    duplicates: Duplicates = "last"  # which of several rows with one key counts; "error": the later ones fail
    unknown_columns: Literal["ignore", "keep", "error"] | None = None  # None: as the type declares
    if_same_file: IfSameFile = "allow"  # what to do about a file that has been imported before
    anonymous: bool = False  # a row without a key creates a record, if this service makes the type's ids; else it fails
    ledger: bool = False  # remember which rows created records
    staged: bool = False  # nothing is written before all rows are, and then all of it at once
    undoable: bool = True  # what it changes in the records is noted, so that it can be undone
    replace: bool = False  # so it is, too, and records of the type that no row names are removed
    deletes: bool = False  # staged as well: the records that rows name are removed, and nothing else of a row counts
    dry_run: bool = False  # once all rows are staged it waits, and shows what it would do
    draft: str | None = None  # of the dashboard, which it checks, and which is used up once it is committed
    on_error: OnError = "continue"  # what a row that fails does to the others

    @property
    def is_staged(self) -> bool:
        return self.staged or self.replace or self.deletes

    @property
    def removes(self) -> bool:
        """Whether it may remove records."""
        return self.replace or self.deletes

    @property
    def settled(self) -> "Options":
        """As a run stores them: `staged` says it also where that follows from what was asked for. Where only the keys
        count, no other column is looked at."""
        staged = self.staged or self.dry_run or self.deletes or self.on_error == "rollback"
        return replace(self, staged=staged, unknown_columns="ignore" if self.deletes else self.unknown_columns)

    @property
    def brakes_in_force(self) -> Brakes | None:
        """Its own until somebody resumes it, and then those with which it was resumed."""
        return self.accepted if self.released else self.brakes


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How the caller says a file is to be read. What is None, or "auto" for the delimiter, is found from the file."""

    format: str | None = None
    delimiter: str = "auto"
    encoding: str | None = None  # of a file that is fetched; an upload is decoded while it arrives
    sheet: str | None = None  # of a workbook that is fetched; that of an upload is chosen while it arrives
    prescribed: bool = False  # the contract of the surface sets them, and the caller cannot choose others


@dataclass(frozen=True, slots=True)
class Plan:
    """How a stored file is read, and which column fills which field. `declaration` is the account's own part of the
    type at acceptance: changing the type later does not change an import that waits."""

    dialect: Dialect
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    declaration: Any = None
    constants: dict[str, str] = field(default_factory=dict)  # field -> JSON text that every record gets
    mapping: Mapping = field(default_factory=Mapping)  # by which the columns were found
    ignored: tuple[int, ...] = ()  # the indexes of headings that are left out on purpose
    read: ReadOptions | None = None  # as it was asked for; None: accepted by release 0.1


@dataclass(frozen=True, slots=True)
class PendingPlan:
    """What is known before the file has been fetched. A run holds it in place of a Plan until then."""

    read: ReadOptions
    mapping: Mapping = field(default_factory=Mapping)  # polls do without it
    seen: SeenColumns | None = None  # of the import that is run again: the file has to have the same columns


read_options, read_plan = compile_reader(Options), compile_reader(Plan)
read_pending_plan = compile_reader(PendingPlan)


def plan_to_json(plan: Plan) -> dict[str, object]:
    """The plan as JSON for the run's row."""
    built: dict[str, Any] = msgspec.to_builtins(plan)
    for column in built["columns"]:  # there may be 2,000, and hardly any has conversions
        if not column["conversions"]:
            del column["conversions"]
    return built


def options_to_json(options: Options, mapping: Mapping) -> dict[str, object]:
    """The options as JSON for the run's row. The constants are among them, because release 0.1 reads them there, and
    which mapping it is that a caller chose, because polls tell it."""
    built: dict[str, object] = msgspec.to_builtins(options)
    chosen = {} if mapping.id == DEFAULT else {"mapping": {"id": mapping.id, "name": mapping.name}}
    return built | {"constants": mapping.constants} | chosen


def pending_plan_to_json(pending: PendingPlan) -> dict[str, object]:
    """The pending plan as JSON for the run's row, and as `wish` for a worker of release 0.1."""
    built: dict[str, object] = msgspec.to_builtins(pending)
    wish = {
        "format": pending.read.format,
        "delimiter": pending.read.delimiter,
        "encoding": pending.read.encoding,
        "caseless": pending.mapping.matching != "exact",
        "headings": {each.heading.lower(): each.field for each in pending.mapping.columns if each.field} or None,
        "columns": pending.mapping.header,
        "has_header": pending.mapping.has_header,
    }
    return built | {"wish": wish}


def load_request(run: Run) -> PendingPlan:
    """What was asked for, kept after the file has been read, so that a rerun can ask for the same."""
    if is_pending(run):
        return load_pending_plan(run)
    plan = load_plan(run)
    with_header = plan.dialect.format == "csv"
    seen = SeenColumns(plan.header, {each.field: each.index for each in plan.columns}) if with_header else None
    if plan.read is not None:
        return PendingPlan(plan.read, plan.mapping, seen)
    # Release 0.1 has kept only what came of it.
    columns = tuple(MappedColumn(each.heading, each.field) for each in plan.columns if each.known)
    mapping = Mapping(columns, "caseless", plan.dialect.has_header, plan.dialect.columns, plan.constants)
    return PendingPlan(ReadOptions(plan.dialect.format, plan.dialect.delimiter), mapping, seen)


def load_options(run: Run) -> Options:
    return read_options(run.options)


def find_contradictions(options: Options) -> Iterator[Complaint]:
    """Options of a request that cannot go together."""
    if options.only_empty and not options.override_existing:
        reason = "`updateOnlyEmptyFields` can be true only if `overrideExisting` is true"
        yield Complaint("updateOnlyEmptyFields", reason)
    if options.replace and options.only_empty:
        reason = "`replace` cannot be combined with `updateOnlyEmptyFields`: what only fills gaps removes nothing"
        yield Complaint("replace", reason)
    if options.deletes:
        yield from find_contradictions_of_delete(options)
    if options.on_error == "stop" and (options.removes or options.dry_run):
        other = "replace" if options.replace else "mode" if options.deletes else "dryRun"
        reason = f"`onError` stop cannot be combined with `{other}`, which looks at the whole file. Use rollback"
        yield Complaint("onError", reason)
    for name in REMOVAL if options.brakes and not options.removes else ():
        if getattr(options.brakes, name) is not None:
            wire = BRAKES[name].name
            reason = f"`{wire}` can be set only if `replace` is true or `mode` is delete: other imports remove nothing"
            yield Complaint(wire, reason)


def find_contradictions_of_delete(options: Options) -> Iterator[Complaint]:
    """What says how rows meet records has no meaning where records are removed."""
    chosen = {
        "replace": options.replace,
        "overrideExisting": not options.override_existing,
        "updateOnlyEmptyFields": options.only_empty,
        "duplicates": options.duplicates != "last",
    }
    for name, set_ in chosen.items():
        if set_:
            yield Complaint(name, f"`{name}` cannot be set if `mode` is delete: rows only name the records to remove")


def is_pending(run: Run) -> bool:
    """Whether the run's file has yet to be fetched."""
    return "dialect" not in run.plan


def read_delimiter(run: Run) -> str:
    """The delimiter of the run's file, or the one that was asked for as long as the file has not been fetched. Without
    loading the whole plan: that takes 1.4 ms for 2,000 columns, and every poll shows the delimiter."""
    if is_pending(run):
        return load_pending_plan(run).read.delimiter
    delimiter: str = run.plan["dialect"]["delimiter"]
    return delimiter


def load_plan(run: Run) -> Plan:
    """The plan of a run whose file is stored."""
    # Runs of release 0.1 have their constants among the options, and were counted by its rules.
    dialect = {"rules": 1, **run.plan["dialect"]}
    return read_plan({"constants": run.options.get("constants", {}), **run.plan, "dialect": dialect})


def load_pending_plan(run: Run) -> PendingPlan:
    """The plan of a run whose file has yet to be fetched."""
    if "read" not in run.plan:  # accepted by release 0.1
        old = run.plan["wish"]
        read = ReadOptions(old["format"], old["delimiter"], old["encoding"])
        mapping = Mapping(
            matching="caseless" if old["caseless"] else "exact",
            has_header=old["has_header"],
            header=tuple(old["columns"]),
            constants=run.options.get("constants", {}),
        )
        return PendingPlan(read, mapping)
    return read_pending_plan(run.plan)
