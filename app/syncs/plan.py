"""What is known of the folders of a run of an item sync while its files are fetched: kept as the plan of the run."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from app.runs.model import Run
from app.storage.json_columns import compile_reader
from app.syncs.files import Role, SyncFile
from app.transports.transport import FileInfo

# What becomes of the ZIP: nobody wants it, it is not there, it is the one that was taken in last, or it is fetched.
Images = Literal["unwanted", "missing", "unchanged", "fetched"]


class SeenFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file as its server describes it."""

    role: Role
    path: str
    size: int | None = None
    modified: datetime | None = None
    tag: str | None = None

    def as_file_info(self) -> FileInfo:
        return FileInfo(self.path, self.size, self.modified, self.tag)


class SeenZip(SeenFile, frozen=True, kw_only=True, omit_defaults=True):
    """The ZIP whose pictures the sync took in last."""

    sha256: str


class Folders(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One look at all folders: the files that count, in the order in which they are read, and what does not exist."""

    files: tuple[SeenFile, ...] = ()
    missing: tuple[Role, ...] = ()


class FetchPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`looks` counts all of them. The folders are `settled` once two looks in a row have seen the same."""

    looks: int = 0
    folders: Folders = Folders()
    settled: bool = False
    images: Images = "unwanted"

    def to_fetch(self) -> Iterator[tuple[int, SeenFile]]:
        """The files that are fetched, with their numbers."""
        for number, file in enumerate(self.folders.files, start=1):
            if file.role is not Role.IMAGES or self.images == "fetched":
                yield number, file


read_fetch_plan, read_seen_zip = compile_reader(FetchPlan), compile_reader(SeenZip)


def load_fetch_plan(run: Run) -> FetchPlan:
    return read_fetch_plan(dict(run.plan))


def fetch_plan_to_json(plan: FetchPlan) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(plan)
    return built


def is_known(zipped: SeenFile, seen: Mapping[str, Any]) -> bool:
    """Whether the ZIP is certainly the one that was taken in last: same size, and same time or tag."""
    last = read_seen_zip(dict(seen))
    proofs = [(zipped.modified, last.modified), (zipped.tag, last.tag)]
    same = zipped.path == last.path and zipped.size is not None and zipped.size == last.size
    return same and any(None not in pair for pair in proofs) and all(one == other for one, other in proofs)


def seen_zip_to_json(zipped: SyncFile) -> dict[str, Any]:
    """What is remembered of a ZIP once its pictures are taken in: `remember_images`."""
    seen = SeenZip(
        role=zipped.role,
        path=zipped.path,
        size=zipped.size,
        modified=zipped.modified,
        tag=zipped.tag,
        sha256=zipped.sha256,
    )
    built: dict[str, Any] = msgspec.to_builtins(seen)
    return built
