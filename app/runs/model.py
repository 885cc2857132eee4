"""A run as everyone above the store sees it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from secrets import token_hex
from typing import Any, Final, NewType

from app.runs.kinds import Kind, Step
from app.runs.states import ENDED, HELD, State

RunId = NewType("RunId", str)
AccountId = NewType("AccountId", int)
RUN_ID: Final = re.compile(r"[0-9a-f]{24}")


class Relation(StrEnum):
    """What a run is to the run that it came from."""

    RERUN = "rerun"  # the same again
    UNDO = "undo"  # takes back what it has changed
    RETRY = "retry"  # its failed rows once more, or its file to the destinations that failed
    CORRECTION = "correction"  # failed rows of it, with values corrected


@dataclass(frozen=True, slots=True)
class Run:
    """One piece of asynchronous work, such as an import. The law that holds at every read: total = created + updated +
    unchanged + skipped + failed + remaining. `total` is None as long as the file has not been fetched."""

    id: RunId
    account_id: AccountId
    kind: Kind
    step: Step
    name: str | None  # what people call it
    parent_id: str | None  # the run that it came from, and why: app.storage.tables
    relation: str | None
    created_by: str | None  # the API key that made it
    sync_id: str | None  # of a sync: the item sync, which may be gone
    seq: int  # its place in the account's order of writes; 0 for kinds that write no records
    type: str
    origin: str  # the surface that made it, or its endpoint
    request_id: str
    state: State
    options: Mapping[str, Any]
    plan: Mapping[str, Any]
    blob: str | None
    blob_digests: bytes | None = field(repr=False)  # of its blocks; None: stored by release 0.1
    file_name: str | None
    file_bytes: int
    file_sha256: str
    total: int | None
    created: int
    updated: int
    unchanged: int
    skipped: int
    failed: int
    # Records that it removes, or has removed once it is finished. Of a replacement they are no rows, so they are apart;
    # where rows name what to remove they are those that have `updated` a record.
    removed: int | None
    at_offset: int
    at_line: int
    at_row: int
    batches: int
    attempt: int
    crashes: int
    interruptions: Sequence[Mapping[str, Any]] | None  # the first 20, as `Interruption`
    report: Mapping[str, Any] | None  # of a sync: app.syncs.report.SyncReport
    error_summary: Sequence[Mapping[str, Any]]
    warnings: Sequence[Mapping[str, Any]]
    source: Mapping[str, Any] | None
    secret: bytes | None = field(repr=False)
    destinations: Sequence[Mapping[str, Any]] | None  # of an export: app.exports.destinations.Destination
    fetched_bytes: int
    fetches: int
    notify: str | None
    webhook_id: str | None  # that it names: it is told how the run has ended
    fail_code: str | None
    fail_detail: str | None
    held_at: datetime | None  # since when it waits for somebody to resume or cancel it
    created_at: datetime
    heartbeat_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    pruned_at: datetime | None
    undone_by: str | None  # the run that takes back what it has changed
    waiting_for: str | None  # what has to come back before the run goes on: app.runs.progress.TROUBLES
    due_at: datetime  # nobody works on it before
    traceparent: str | None  # of the request which it came from, if that was traced
    # Of its row, where somebody reads it to show it: app.storage.watching.versions.
    version: str = field(default="", compare=False)

    @property
    def success(self) -> int:
        """Rows that went in; of an export the rows that are in its file."""
        if self.kind is Kind.EXPORT:
            return self.at_row
        return self.created + self.updated + self.unchanged + self.skipped

    @property
    def processed(self) -> int:
        return self.success + self.failed

    @property
    def remaining(self) -> int | None:
        return None if self.total is None else self.total - self.processed

    @property
    def replaces(self) -> bool:
        """Whether it removes records: those that no row of its files names, as a replacement or an item sync in mode
        full does, or those that rows name."""
        sync = self.options.get("sync", {})
        return bool(self.options.get("replace") or self.deletes) or sync.get("mode") == "full"

    @property
    def deletes(self) -> bool:
        """Whether it removes the records that its rows name. So does a retry or a correction of it."""
        return bool(self.options.get("deletes"))

    @property
    def is_staged(self) -> bool:
        """Whether nothing is written before all rows are looked at."""
        return self.kind is Kind.SYNC or bool(self.options.get("staged") or self.options.get("replace"))

    @property
    def is_unwritten(self) -> bool:
        """Whether its rows are staged and not applied yet: app.storage.claims.UNWRITTEN."""
        return self.is_staged and self.step in (Step.WRITE, Step.APPLY)

    @property
    def is_given_up(self) -> bool:
        """Whether it has ended without writing any of the rows that it has staged."""
        return self.done and self.state is not State.FINISHED and self.is_unwritten

    @property
    def is_dry_run(self) -> bool:
        """Whether it shows what it would do before it does it."""
        return bool(self.options.get("dry_run") or self.options.get("dryRun"))

    @property
    def plan_number(self) -> int | None:
        """By which somebody who resumes it names what it shows; None unless it waits for that."""
        return self.attempt if self.state in HELD else None

    @property
    def done(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Interruption:
    """A worker that had the run was `lost`, or it met an error that nobody expected. The run went on after `row`."""

    at: datetime
    row: int
    lost: bool


def list_interruptions(run: Run) -> list[Interruption]:
    """The first 20, in their order."""
    return [
        Interruption(datetime.fromisoformat(each["at"]), each["row"], each["lost"]) for each in run.interruptions or ()
    ]


NAMES = tuple(each.name for each in fields(Run) if each.name != "version")


def run_from(row: Mapping[Any, Any]) -> Run:
    """A run from its row."""
    step = row["step"] or Step.FETCH
    if step == Step.FETCH and row["blob"] is not None:  # release 0.1 does not know of steps
        step = Step.WRITE
    typed = {"kind": Kind(row["kind"]), "step": Step(step), "state": State(row["state"]), "seq": row["seq"] or 0}
    typed["version"] = row.get("version", "")
    if row["options"].get("deletes"):  # a row that has changed a record has removed it
        typed["removed"] = row["updated"]
    return Run(**{name: row[name] for name in NAMES} | typed)


def read_run_id(text: str) -> str:
    """The id of a run as a caller writes it: in Voucherify's contract it has a prefix."""
    return text.removeprefix("aa_")


def is_run_id(text: str) -> bool:
    """Whether it looks like what `new_run_id` makes."""
    return RUN_ID.fullmatch(text) is not None


def new_run_id() -> RunId:
    """24 lower-case hexadecimal characters that sort by time: 48 bits of milliseconds, 48 of chance."""
    return RunId(f"{int(datetime.now(UTC).timestamp() * 1000):012x}{token_hex(6)}")
