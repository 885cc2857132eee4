"""Shapes of runs: the work of every kind that an account has, in one list."""

from datetime import date

from pydantic import BaseModel, Field

from app.runs.kinds import Kind, Step
from app.runs.progress import Outcome
from app.runs.states import State
from app.surfaces.native.wire.changes import UndoReport
from app.surfaces.native.wire.shape import Links
from app.syncs.files import Role
from app.syncs.plan import Images
from app.web.declared.shape import Moment
from app.web.shapes import (
    NO_FAMILY,
    NO_WAIT,
    STARTS_AT,
    UNSET_TIME,
    WAITS_FOR,
    RunFailure,
    RunFamily,
    Shape,
    Source,
    Timestamp,
    WaitingFor,
    WaitsFor,
)


class RunQueryParameters(BaseModel):
    """The query of GET /runs."""

    kind: Kind | None = None
    status: State | None = None
    type: str | None = Field(default=None, description="The record type")
    name: str | None = Field(default=None, description="What the run is called, exactly")
    origin: str | None = Field(default=None, description="As `origin` of a run")
    parent_id: str | None = Field(default=None, alias="parentId", description="The run that the runs were started from")
    sync_id: str | None = Field(default=None, alias="syncId", description="The item sync")
    created_by: str | None = Field(
        default=None, alias="createdBy", description="The API key, schedule or feed that has started them"
    )
    connection_id: str | None = Field(
        default=None, alias="connectionId", description="The stored connection that the file is from"
    )
    text: str | None = Field(
        default=None,
        max_length=200,
        description="What the name or the name of the file contains, in capital or small letters",
    )
    since: Moment | None = Field(default=None, description="Accepted at this moment or later")
    before: Moment | None = Field(default=None, description="Accepted before this moment")
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = None


class RunAddresses(Shape):
    """Absolute URLs."""

    self: str
    details: str = Field(
        default="",
        description="Everything about the run, in the words of its kind. Absent for a sync and an undo: it is all here",
    )
    resume: str = Field(default="", description="Present while it is halted or planned")
    cancel: str = Field(default="", description="Present until it has ended")


class RowCounts(Shape):
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0


class EntityCounts(Shape):
    """How many records of a kind were, or will be, added, changed and removed. A record is skipped if a later run has
    written it meanwhile."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: int = 0
    failed: int = 0


class SyncFileItem(Shape):
    """A file that an item sync has read. Rows are counted once they are written."""

    role: Role
    path: str
    bytes: int
    sha256: str
    modified: Timestamp = Field(default=UNSET_TIME, description="As its server tells. Absent if it does not")
    rows: RowCounts = Field(default=RowCounts(), description="Present once the rows of all files are read")
    moved_to: str = Field(default="", description="Where it was moved to at its server, by `afterwards`")


class RefusedPictureItem(Shape):
    """A file of the ZIP that became no image."""

    name: str
    code: str = Field(examples=["unknown_item"])
    message: str


class SyncImagesItem(Shape):
    path: str
    status: Images = Field(
        description="unwanted: a setting says so. missing: there is no ZIP. unchanged: it is the one whose pictures "
        "were taken in last. fetched: its pictures are taken in"
    )
    added: int = Field(default=0, description="Images. The counts are present once the ZIP was read")
    changed: int = 0
    unchanged: int = 0
    removed: int = Field(default=0, description="Images of items that are gone, in mode full")
    skipped: int = Field(default=0, description="Images that something accepted later has written since")
    failed: int = Field(default=0, description="Files of the ZIP that became no image")
    ignored: int = Field(default=0, description="Folders, and what operating systems leave in a ZIP")
    failure: str = Field(default="", description="Why the ZIP could not be read. Absent if it could")
    refused: list[RefusedPictureItem] = Field(
        default=[],
        description="The first 100 of the files that failed; `GET /runs/{id}/problems` lists all. Left out of lists",
    )


class SyncReportItem(Shape):
    """What came of an item sync."""

    files: list[SyncFileItem] = Field(default=[], description="In the order in which they are read. Left out of lists")
    images: SyncImagesItem = Field(default=SyncImagesItem(path="", status="unwanted"))
    entities: dict[str, EntityCounts] = Field(
        default={},
        description="What becomes of records, by type; `links` are those of items to filter values. Present once rows "
        "are read",
    )


class RunWarningSample(Shape):
    file: str = Field(default="", description="Present if it is about a row of a file")
    line: int | None = Field(description="The line on which the row begins. Null if it is not known")
    row: int = Field(description="The number of the row among those of all files")
    message: str


class RunWarningItem(Shape):
    code: str = Field(examples=["duplicate_key"])
    message: str
    count: int = Field(description="How many times it happened")
    samples: list[RunWarningSample] = Field(default=[], description="The first three. Left out of lists")


class InterruptionItem(Shape):
    """A worker was lost, or met an error that nobody expected, and another one went on."""

    at: Timestamp
    row: int = Field(description="How many rows had an outcome by then. The run went on with the next")
    lost: bool = Field(description="True: the worker stopped to answer. False: it met an error, which is in its log")


class RunItem(Shape):
    """One piece of work, such as an import. total = created + updated + unchanged + skipped + failed + remaining; of an
    export, total = written + remaining."""

    id: str = Field(examples=["018bcfe568a1c0ffee012345"])
    kind: Kind
    name: str = Field(default="", description="What it is called. Present if it was given a name")
    parent_id: str = Field(default="", description="Present if it was started from another run, which is still kept")
    relation: str = Field(
        default="", description="Present if it was started from another run: what it is to it", examples=["rerun"]
    )
    family: RunFamily = Field(
        default=NO_FAMILY,
        description="What an import that has ended, its retries and its corrections come to. Absent if there are none, "
        "and in lists",
    )
    created_by: str = Field(
        default="",
        description="The id of the API key, schedule or feed that has started it. Absent for imports of release 0.1",
        examples=["sluice_0123456789abcdef"],
    )
    type: str = Field(description="The record type")
    status: State
    step: Step = Field(description="What it is doing, does next, or did last")
    origin: str = Field(
        description="How it was started: connectif, native, cordial, voucherify.csv, voucherify.bulk or "
        "voucherify.metadata",
        examples=["connectif"],
    )
    sync_id: str = Field(default="", description="Present for a sync: the item sync, which may be deleted by now")
    created_at: Timestamp
    started_at: Timestamp = Field(default=UNSET_TIME)
    finished_at: Timestamp = Field(default=UNSET_TIME)
    total: int | None = Field(description="Null until it is known")
    created: int
    updated: int
    unchanged: int
    skipped: int
    failed: int
    removed: int = Field(
        default=0, description="Present for what replaces a type, once all rows are checked: records that no row names"
    )
    written: int = Field(default=0, description="Present for an export: the records that are in its file")
    undone_by: str = Field(default="", description="Present if it was undone: the run that does, or did, it")
    undoable_until: Timestamp = Field(
        default=UNSET_TIME, description="Present once it has ended, if it can be undone: until when"
    )
    undo: UndoReport = Field(
        default=UndoReport(removed=0, restored=0, put_back=0, same=0, left_alone=0),
        description="Present for an undo that is finished: what has come of it",
    )
    remaining: int | None = Field(description="Null while `total` is null")
    done: bool
    outcome: Outcome = Field(
        default="none",
        description="Present once it has ended: whether all of its rows succeeded, some, or none. An export is partial "
        "too, if one of its destinations did not get the file",
    )
    percent: float
    eta_seconds: int = Field(default=0, description="Seconds left at the speed so far. Present while it is at work")
    queue_position: int = Field(
        default=0, description="Present while it is queued: its place among the queued runs of its kind"
    )
    waiting_for: WaitingFor = Field(
        default="storage", description="Present while it is tried again and again: what for"
    )
    waits_for: WaitsFor = Field(default=NO_WAIT, description=WAITS_FOR)
    starts_at: Timestamp = Field(default=UNSET_TIME, description=STARTS_AT)
    report: SyncReportItem = Field(
        default=SyncReportItem(), description="Present for a sync once its files are fetched: what came of it"
    )
    warnings: list[RunWarningItem] = Field(default=[], description="Present for a sync and an undo")
    interruptions: list[InterruptionItem] = Field(
        default=[], description="Present if workers were lost while they had it: the first 20 times"
    )
    plan: int = Field(
        default=0,
        description="Present while it is halted or planned: the number of what it shows, which `resume` takes",
    )
    failure: RunFailure = Field(
        default=RunFailure(code="", detail=""),
        description="Present with status failed, halted or cancelled: why. With planned if a brake would halt it",
    )
    file_name: str = Field(default="")
    file_bytes: int
    source: Source = Field(default=Source(transport=""), description="Present if its file is fetched: where from")
    expires_at: Timestamp = Field(default=UNSET_TIME, description="Present once it has ended: until when it is kept")
    links: RunAddresses


class DailyQueryParameters(BaseModel):
    """The query of GET /runs/daily."""

    kind: Kind | None = None
    days: int = Field(default=30, ge=1, le=366, description="How many days, the last of which is today in UTC")


class DayOfRuns(Shape):
    """A day in UTC."""

    day: date = Field(examples=["2026-11-27"])
    runs: int = Field(description="Accepted on this day, and still kept")
    failed: int = Field(description="How many of them could not be finished, and have the status failed")


class DailyRuns(Shape):
    """Oldest first. A day without runs has zeros."""

    links: Links
    results: list[DayOfRuns]


class RunList(Shape):
    """Newest first."""

    links: Links
    results: list[RunItem]
