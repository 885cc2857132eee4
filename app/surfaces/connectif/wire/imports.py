"""Connectif's answers, to the letter, and what Sluice adds to them; the query of a list."""

from typing import Literal

from pydantic import BaseModel, Field

from app.web.shapes import (
    NO_FAMILY,
    NO_FIX,
    NO_WAIT,
    STARTS_AT,
    UNSET_TIME,
    WAITS_FOR,
    Fix,
    RunFailure,
    RunFamily,
    Shape,
    Source,
    Timestamp,
    WaitingFor,
    WaitsFor,
)

Status = Literal["queued", "inProgress", "finished", "error", "cancelled"]


class Options(Shape):
    """The options of the request. `blankCells` and those after it are Sluice's own."""

    delimiter: str = Field(examples=[","])
    override_existing: bool = Field(description="Whether existing records are updated")
    update_only_empty_fields: bool = Field(description="Whether only the empty fields of existing records are filled")
    coupon_set_id: str = Field(default="", description="For coupons: the set they belong to")
    blank_cells: Literal["keep", "clear", "empty"]
    duplicates: Literal["last", "first", "error"]
    null_marker: str = Field(default="", description="A cell with this value leaves the field as it is")
    unknown_columns: Literal["ignore", "keep", "error"] = Field(
        default="ignore", description="Absent unless it was sent"
    )
    replace: bool = Field(default=False, description="Absent unless it is true: records that no row names are removed")
    mode: Literal["delete"] = Field(
        default="delete", description="Absent unless it was sent: the records that rows name are removed"
    )
    dry_run: bool = Field(default=False, description="Absent unless it is true: it shows what it would do, and waits")
    on_error: Literal["continue", "stop", "rollback"] = Field(default="continue", description="Absent for continue")
    if_same_file: Literal["report", "refuse"] = Field(default="report", description="Absent unless it was sent")
    max_errors: int = Field(default=0, description="This and the other brakes are absent unless they were sent")
    max_error_share: float = Field(default=0.0)
    max_created: int = Field(default=0)
    max_updated: int = Field(default=0)
    max_removed: int = Field(default=0)
    max_removed_share: float = Field(default=0.0)
    min_rows: int = Field(default=0)


class ChosenMapping(Shape):
    """The mapping by which columns were found, if the request chose one."""

    id: str = Field(description="`inline` if the request brought it, else the id under which it is stored")
    name: str = Field(default="", description="Absent if it has none")


class Dialect(Shape):
    """How the file is read."""

    format: Literal["csv", "jsonl"]
    delimiter: str
    encoding: str = Field(examples=["utf-8"])


class ErrorSample(Shape):
    line: int = Field(description="The line on which the row begins. The header is line 1")
    row: int = Field(description="The number of the row. The first row after the header is 1")
    value: str | None


class ErrorGroup(Shape):
    """The errors of one kind in one column, counted."""

    code: str = Field(examples=["type_error"])
    field: str | None
    column: str | None
    message: str
    count: int
    samples: list[ErrorSample] = Field(description="The first three rows")
    hint: str = Field(
        default="",
        description="What is probably the cause, and what to do. Absent if nobody can say. The same cause in several "
        "columns is told once, by the first group",
    )
    fix: Fix = Field(default=NO_FIX, description="Present if a program can do what the hint says")


class WarningSample(Shape):
    line: int | None
    row: int
    message: str


class WarningGroup(Shape):
    """Something worth knowing that is not an error."""

    code: str = Field(examples=["unknown_column"])
    subject: str
    message: str
    count: int
    samples: list[WarningSample]
    hint: str = Field(default="", description="For a column that is not known: which one was probably meant")
    fix: Fix = Field(default=NO_FIX, description="Present with `hint`")


class RunLinks(Shape):
    """Absolute URLs."""

    self: str
    problems: str
    failed_rows: str
    results: str
    resume: str = Field(default="", description="Present with `held`")
    commit: str = Field(default="", description="Present with `held`, if the import was started with `dryRun`")
    changes: str = Field(default="", description="Present with `held`, if nothing is written yet: what would change")
    cancel: str = Field(default="", description="Present until it has ended")


class Import(Shape):
    """An import. In every answer, total = created + updated + unchanged + skipped + errors + remaining."""

    id: str = Field(examples=["018bcfe568a1c0ffee012345"])
    name: str = Field(default="", description="What the import is called. Present if it was given a name")
    parent_id: str = Field(
        default="", description="Present if it came of another import, which is still kept: the id of that"
    )
    relation: Literal["rerun", "retry", "correction"] = Field(
        default="rerun", description="Present if it came of another import: what it is to it"
    )
    family: RunFamily = Field(
        default=NO_FAMILY,
        description="Present once it has ended, if its failed rows were sent again, or if it sends those of another "
        "import: what all of them come to",
    )
    type: str = Field(description="contacts, products, coupons, or a type that the account has declared")
    status: Status
    origin: Literal["api"] = Field(
        description="Always api, as in Connectif's contract. `origin` of `GET /runs` tells how it was started"
    )
    total: int | None = Field(
        description="Rows of the file, without the header and blank lines. Null until a file that the service fetches "
        "has arrived"
    )
    success: int = Field(description="created + updated + unchanged + skipped")
    errors: int = Field(description="Rows that failed")
    error_report_file_url: str = Field(default="", description="The failed rows as CSV. Present once there are errors")
    options: Options
    mapping: ChosenMapping = Field(
        default=ChosenMapping(id="inline"),
        description="Absent if the request chose none. `GET /imports/{id}/columns` tells how each column was found",
    )
    created_at: Timestamp
    started_at: Timestamp = Field(default=UNSET_TIME)
    finished_at: Timestamp = Field(default=UNSET_TIME)
    created: int
    updated: int
    unchanged: int
    skipped: int = Field(description="Rows that were left out on purpose")
    removed: int = Field(
        default=0,
        description="Present for an import that replaces the type, once all rows are checked: the records that no row "
        "names. They are no rows of the file. In the mode delete: the rows whose record is removed, which are "
        "those that are `updated`",
    )
    undone_by: str = Field(default="", description="Present if it was undone: the run that does, or did, it")
    undoable_until: Timestamp = Field(
        default=UNSET_TIME, description="Present once it has ended, if it can be undone: until when"
    )
    remaining: int | None = Field(description="Rows that have no outcome yet. Null while `total` is null")
    done: bool
    outcome: Literal["complete", "partial", "none"] = Field(
        default="none",
        description="Present once the import has ended: whether all rows were imported, some of them, or none",
    )
    percent: float
    eta_seconds: int = Field(
        default=0, description="Seconds left at the speed so far. Present while rows are being imported"
    )
    queue_position: int = Field(default=0, description="Its place among the account's queued imports. The first is 1")
    waiting_for: WaitingFor = Field(
        default="storage",
        description="Present while the import can do nothing but wait, and is tried again: for the store of its file, "
        "for the database, for the queue, for the source of its file, or for the machine that works on it",
    )
    waits_for: WaitsFor = Field(default=NO_WAIT, description=WAITS_FOR)
    starts_at: Timestamp = Field(default=UNSET_TIME, description=STARTS_AT)
    error_summary: list[ErrorGroup]
    warnings: list[WarningGroup]
    held: Literal["halted", "planned"] = Field(
        default="halted",
        description="Present while the import waits for somebody to decide: a brake has halted it (`status` is error), "
        "or it was only to be planned (`status` is queued)",
    )
    plan: int = Field(default=0, description="Present with `held`: the number of what it shows, which `resume` takes")
    failure: RunFailure = Field(
        default=RunFailure(code="", detail=""), description="Present with status error or cancelled: why"
    )
    file_name: str = Field(default="")
    source: Source = Field(
        default=Source(transport=""), description="Present if the service fetches the file: where it comes from"
    )
    fetched_bytes: int = Field(
        default=0, description="Present if the service fetches the file: how many bytes have arrived"
    )
    file_bytes: int = Field(description="Size of the file as sent, in bytes")
    file_sha256: str = Field(description="SHA-256 of the file as sent")
    dialect: Dialect = Field(default=Dialect(format="csv", delimiter="", encoding=""))
    expires_at: Timestamp = Field(
        default=UNSET_TIME, description="Present once the import has ended: until when it and its file are kept"
    )
    links: RunLinks


class PageLinks(Shape):
    """A link is absent if there is no such page."""

    next: str = Field(default="")
    prev: str = Field(default="")


class ImportList(Shape):
    """Newest first."""

    links: PageLinks
    results: list[Import]


class ListQuery(BaseModel):
    """The query of GET /imports."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    page_size: int = Field(default=20, alias="pageSize", ge=1, le=100)
    status: Status | None = None
    type: str | None = None
