"""Shapes of feeds: folders that are watched, and the files that were seen there."""

from typing import Any, Literal

from pydantic import Field

from app.feeds.feed import FeedState, FileState
from app.surfaces.native.wire.shape import Links
from app.web.shapes import UNSET_TIME, Shape, Timestamp


class FeedFileCounts(Shape):
    """Files in the folder, by how far the feed is with them. GET /feeds/{id}/files says what the words mean."""

    settling: int = 0
    waiting: int = 0
    importing: int = 0
    imported: int = 0
    failed: int = 0
    unknown: int = 0


class Feed(Shape):
    id: str = Field(examples=["feed_c421b1e62576a02cbec11b04"])
    name: str
    connection_id: str
    request: dict[str, Any] = Field(default={}, description="What is imported. Lists leave it out")
    every: int
    afterwards: str
    on_failed: str
    enabled: bool = Field(description="False while the feed is paused: nothing is looked at, started, moved or deleted")
    status: FeedState = Field(
        description="What the last look has found. new: nobody has looked yet. ok: files. empty: no file that matches. "
        "missing: the folder does not exist. failing: the folder could not be listed"
    )
    detail: str = Field(default="", description="Why the folder could not be listed")
    failures: int = Field(description="How many looks have failed in a row. The more, the later the next one")
    problem: str = Field(default="", description="Why no import can be started. It is tried again every minute")
    checked_at: Timestamp = Field(default=UNSET_TIME, description="The last look. Absent before the first")
    next_check_at: Timestamp = Field(default=UNSET_TIME, description="The next look. Absent while the feed is paused")
    files: FeedFileCounts = Field(default=FeedFileCounts(), description="Lists leave it out")
    created_at: Timestamp
    updated_at: Timestamp


class FeedList(Shape):
    """Ordered by name."""

    links: Links
    results: list[Feed]


class FeedFile(Shape):
    """A version of a file. Another version of it is another file."""

    path: str
    size: int = Field(default=0, description="In bytes. Absent if the server does not say it")
    modified: Timestamp = Field(default=UNSET_TIME, description="As the server says it. Absent if it does not")
    status: FileState = Field(
        description="settling: it may still grow, and is imported if the next look sees the same. waiting: for a place "
        "in the queue. importing. imported: no row has failed. failed: the import, or some of its rows. unknown: the "
        "import was deleted before its end was noted"
    )
    import_id: str = Field(default="", description="Present once its import has started")
    afterwards: Literal["kept", "moved", "deleted", "gone", "pending"] = Field(
        default="pending",
        description="What has become of the file after its import, absent before its end. gone: somebody else has "
        "moved, deleted or replaced it. pending: it is yet to be moved or deleted",
    )
    moved_to: str = Field(default="", description="Where the file is, if it was moved")
    why: str = Field(default="", description="Why it could not be moved or deleted. It is tried again")
    seen_at: Timestamp = Field(description="When the feed saw it first")
    gone_at: Timestamp = Field(default=UNSET_TIME, description="Since when it is not in the folder. Absent while it is")


class FeedFileList(Shape):
    """The file that was seen last comes first."""

    links: Links
    results: list[FeedFile]
