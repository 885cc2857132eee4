"""The files of a run of an item sync: what `fetch` hands to the steps that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.runs.model import RunId
from app.storage.database import ReadSession
from app.storage.syncs import files


class Role(StrEnum):
    """What a file is for, in the order in which the files are read."""

    ITEMS = "items"
    FILTERS = "filters"
    IMAGES = "images"


@dataclass(frozen=True, slots=True)
class SyncFile:
    """A file that has been fetched and stored. A CSV file is stored as UTF-8 without a byte order mark, the ZIP of
    pictures as it came. `size` (in bytes) and `sha256` are those of the file as it came."""

    number: int  # its place among all files of the run, in the order in which they are read; the first is 1
    role: Role
    path: str
    size: int
    modified: datetime | None  # as the server tells; so is the tag
    tag: str | None
    blob: str
    digests: bytes
    sha256: str
    moved_to: str | None = None  # where it went at its server after the sync
    settled: bool = False  # it was moved or deleted there


async def load_files(session: ReadSession, run_id: RunId, *roles: Role) -> Sequence[SyncFile]:
    """The files of a run, or those of these roles, in the order in which they are read."""
    found = [file_from(row) for row in await files.list_all(session, run_id)]
    return [each for each in found if not roles or each.role in roles]


def file_from(row: Mapping[Any, Any]) -> SyncFile:
    return SyncFile(
        row["number"],
        Role(row["role"]),
        row["path"],
        row["size"],
        row["modified"],
        row["tag"],
        row["blob"],
        row["digests"],
        row["sha256"],
        row["moved_to"],
        row["moved_at"] is not None,
    )
