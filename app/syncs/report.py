"""What came of a run of an item sync, file by file and for each kind of thing: stored with the run, shown as it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from app.runs.model import Run
from app.storage.json_columns import compile_reader
from app.syncs.files import Role, SyncFile
from app.syncs.plan import Images


class FileReport(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """One file that was read."""

    role: Role
    path: str
    bytes: int
    sha256: str
    modified: datetime | None = None  # as its server told
    rows: dict[str, int] = {}  # how many rows had which outcome, once all are staged
    moved_to: str | None = None  # at its server, after the sync


class RefusedPicture(msgspec.Struct, kw_only=True):
    """A file of the ZIP that became no image. `code` is a key of `app.item_images.refusals.REFUSALS`."""

    name: str
    code: str
    message: str


class ImagesReport(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """What became of the ZIP of pictures. Counts are of images, `failed` and `ignored` of files in the ZIP; they are
    there once it was read. `refused` has the first of those that failed, `failure` says why the ZIP cannot be read."""

    status: Images
    path: str
    added: int | None = None
    changed: int | None = None
    unchanged: int | None = None
    removed: int | None = None
    skipped: int | None = None
    failed: int | None = None
    ignored: int | None = None
    failure: str = ""
    refused: list[RefusedPicture] = []


class SyncReport(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """All of it."""

    files: list[FileReport] = []
    images: ImagesReport | None = None
    entities: dict[str, dict[str, int]] = {}  # by type, and `links` of items to filter values: what becomes of records


read_report = compile_reader(SyncReport)


def load_report(run: Run) -> SyncReport:
    return read_report(dict(run.report or {}))


def report_to_json(report: SyncReport) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(report)
    return built


def report_files(files: Sequence[SyncFile]) -> list[FileReport]:
    return [
        FileReport(role=each.role, path=each.path, bytes=each.size, sha256=each.sha256, modified=each.modified)
        for each in files
    ]
