"""Feeds as a page shows them: what the last look has found, and what waits in the folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.dashboard.views.runs.badge import Tone
from app.dashboard.words import write_duration
from app.feeds.feed import Feed, FeedState, FileState, WatchedFile

STATES: Final[dict[FeedState, tuple[str, Tone]]] = {
    FeedState.NEW: ("Not looked yet", "idle"),
    FeedState.OK: ("Watching", "ok"),
    FeedState.EMPTY: ("Watching, no file", "ok"),
    FeedState.MISSING: ("The folder does not exist", "warn"),
    FeedState.FAILING: ("The folder could not be listed", "bad"),
}
FILE_STATES: Final[dict[FileState, tuple[str, Tone]]] = {
    FileState.SETTLING: ("May still grow", "idle"),
    FileState.WAITING: ("Waits for a place in the queue", "idle"),
    FileState.IMPORTING: ("Is being imported", "run"),
    FileState.IMPORTED: ("Imported", "ok"),
    FileState.FAILED: ("Failed, or some of its rows", "bad"),
    FileState.UNKNOWN: ("Its import was deleted", "idle"),
}
WAITING: Final = (FileState.SETTLING, FileState.WAITING, FileState.IMPORTING)
DISPOSALS: Final = {"kept": "Stays where it is", "deleted": "Deleted", "gone": "Somebody else has moved or changed it"}


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A feed in the list. `waits` is how many files wait; 0 where nobody has counted."""

    path: str
    name: str
    folder: str
    every: str
    enabled: bool
    words: str
    tone: Tone
    detail: str
    looked_at: datetime | None
    next_at: datetime | None
    waits: int


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file that a feed has seen."""

    path: str
    size: int | None
    words: str
    tone: Tone
    seen_at: datetime
    run_path: str
    afterwards: str


def describe_feed(feed: Feed) -> FeedLine:
    words, tone = STATES[feed.state] if feed.enabled else ("Paused", "idle")
    return FeedLine(
        path=f"/app/feeds/{feed.id}",
        name=feed.declared.name,
        folder=feed.declared.path,
        every=f"every {write_duration(feed.declared.every).removeprefix('1 ')}",
        enabled=feed.enabled,
        words=words,
        tone=tone,
        detail=" ".join(f"{each.rstrip('.')}." for each in (feed.detail, feed.start_error) if each),
        looked_at=feed.looked_at,
        next_at=feed.next_at if feed.enabled else None,
        waits=sum(feed.files.get(each, 0) for each in WAITING),
    )


def count_files(feed: Feed) -> Sequence[tuple[str, int]]:
    """How many files there are in the folder, by how far the feed is with them; none of those that are no files."""
    return [(FILE_STATES[state][0], feed.files[state]) for state in FileState if feed.files.get(state)]


def describe_file(file: WatchedFile) -> FileLine:
    words, tone = FILE_STATES[file.state]
    moved = f"Moved to {file.moved_to}" if file.moved_to else DISPOSALS.get(file.disposal or "", "")
    failed = f"Not moved or deleted yet: {file.error.rstrip('.')}." if file.error else ""
    run_path = f"/app/runs/{file.run_id}" if file.run_id else ""
    return FileLine(file.path, file.size, words, tone, file.seen_at, run_path, failed or moved)
