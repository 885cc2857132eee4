"""Runs of an item sync in a table, and what the last one did with each file and each kind of record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.dashboard.sentences import tell_limits
from app.dashboard.views.runs.badge import Badge, badge_of
from app.dashboard.words import count_of, join_words, write_number
from app.runs.model import Run
from app.runs.status import Status
from app.syncs.report import FileReport, SyncReport, load_report
from app.syncs.writing.report import LINKS

IMAGES: Final = {
    "missing": "There is no {path}. Images stay as they are.",
    "unchanged": "{path} is the same as the last time.",
}
ENTITIES: Final = {LINKS: "links of items to filters"}
OUTCOMES: Final = ("added", "changed", "removed", "unchanged", "skipped", "failed")


@dataclass(frozen=True, slots=True)
class SyncRunLine:
    """A run in the list."""

    path: str
    badge: Badge
    started: datetime
    said: str


@dataclass(frozen=True, slots=True)
class SyncedFile:
    """A file that was read, and what became of its rows and of itself."""

    path: str
    bytes: int
    rows: str
    moved_to: str


@dataclass(frozen=True, slots=True)
class EntityLine:
    """A kind of record, with a number for each outcome."""

    name: str
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class LastRun:
    """What the last run did."""

    line: SyncRunLine
    files: Sequence[SyncedFile]
    entities: Sequence[EntityLine]
    images: str

    @property
    def moved(self) -> bool:
        """Whether any of the files was moved."""
        return any(each.moved_to for each in self.files)


def describe_run(status: Status) -> SyncRunLine:
    run = status.run
    return SyncRunLine(f"/app/runs/{run.id}", badge_of(status), run.started_at or run.created_at, say_counts(run))


def say_counts(run: Run) -> str:
    """In a few words, of all kinds of records together."""
    if run.fail_detail:
        return tell_limits(run.fail_detail)
    entities = load_report(run).entities
    told = [(name, sum(each.get(name, 0) for each in entities.values())) for name in ("added", "changed", "removed")]
    return join_words([f"{write_number(number)} {name}" for name, number in told]) if entities else ""


def describe_last(status: Status) -> LastRun:
    report = load_report(status.run)
    return LastRun(
        line=describe_run(status),
        files=[describe_file(each) for each in report.files],
        entities=[
            EntityLine(ENTITIES.get(name, name), [counts.get(each, 0) for each in OUTCOMES])
            for name, counts in report.entities.items()
        ],
        images=describe_images(report),
    )


def describe_file(file: FileReport) -> SyncedFile:
    rows = join_words([f"{write_number(number)} {name}" for name, number in file.rows.items() if number])
    return SyncedFile(file.path, file.bytes, rows, file.moved_to or "")


def describe_images(report: SyncReport) -> str:
    """What became of the ZIP, in a sentence; "" if the run says nothing of it."""
    images = report.images
    if images is None:
        return ""
    if images.failure:
        return f"{images.path} could not be read: {images.failure.rstrip('.')}."
    if images.added is None:
        return IMAGES.get(images.status, "").format(path=images.path)
    told = join_words(
        [f"{write_number(getattr(images, name) or 0)} {name}" for name in ("added", "changed", "removed")]
    )
    failed = f" {count_of(images.failed, 'file')} could not be taken in." if images.failed else ""
    return f"Images from {images.path}: {told}.{failed}"
