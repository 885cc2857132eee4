"""How the files of a run are read: found out once, before the first row, and kept with the run's plan.

The cursor of a run counts the bytes and rows of all its files as if they were one file, and the lines of each.
"""

from collections.abc import Sequence
from typing import BinaryIO, Final

import msgspec

from app.errors import Fatal, Refused
from app.formats.records import Dialect, Limits, Position
from app.runs.model import Run
from app.runs.summary import RunWarning
from app.runtime import Runtime
from app.storage.blobs import BlobMissing
from app.storage.json_columns import compile_reader
from app.syncs.files import Role, SyncFile
from app.syncs.rows.rules import RowRules
from app.syncs.rows.sync_file import ExaminedFile, examine_file
from app.syncs.settings import SyncSettings

READING: Final = "reading"  # the member of the run's plan that says how its files are read


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file with rows. `size` is in bytes of what is stored; `first_byte` and `first_row` are what comes before it."""

    number: int
    role: Role
    path: str
    dialect: Dialect
    size: int
    rows: int
    first_byte: int
    first_row: int

    @property
    def end(self) -> Position:
        """Where the next file begins."""
        return Position(self.first_byte + self.size, 1, self.first_row + self.rows)


Reading = tuple[ReadFile, ...]
read_reading = compile_reader(Reading)


def load_reading(run: Run) -> Reading | None:
    """None until the files have been examined."""
    stored = run.plan.get(READING)
    return None if stored is None else read_reading(stored)


def examine_files(
    runtime: Runtime, files: Sequence[SyncFile], settings: SyncSettings
) -> tuple[Reading, list[RunWarning]]:
    """Reads each file once. Raises Fatal for one that cannot be read: nothing of any file is written then. Blocking."""
    reading: list[ReadFile] = []
    warnings: list[RunWarning] = []
    at = Position()
    for file in files:
        with open_stored(runtime, file) as stored:
            found = examine(stored, file, settings, runtime.limits)
            size = stored.seek(0, 2)
        warnings += found.warnings
        read = ReadFile(
            number=file.number,
            role=file.role,
            path=file.path,
            dialect=found.dialect,
            size=size,
            rows=found.rows,
            first_byte=at.offset,
            first_row=at.row,
        )
        reading.append(read)
        at = read.end
    return tuple(reading), warnings


def examine(stored: BinaryIO, file: SyncFile, settings: SyncSettings, limits: Limits) -> ExaminedFile:
    encoding = settings.encoding or "utf-8"
    try:
        return examine_file(stored, file.role, separator=settings.separator, encoding=encoding, limits=limits)
    except Refused as refused:
        raise Fatal("unreadable_file", f"The file `{file.path}` cannot be read. {refused.detail}") from None


def open_stored(runtime: Runtime, file: SyncFile) -> BinaryIO:
    """Raises Fatal if it is gone. Blocking."""
    try:
        return runtime.blobs.open(file.blob, file.digests)
    except BlobMissing:
        raise Fatal("source_missing") from None


def build_rules(settings: SyncSettings, *, key_limit: int, record_limit: int) -> RowRules:
    """In a full sync a blank cell keeps nothing: what the file does not say is empty afterwards."""
    blank = "clear" if settings.mode == "full" and settings.blank_cells == "keep" else settings.blank_cells
    return RowRules(
        trim_values=settings.trim_values,
        blank_cells=blank,
        deprecated_free_fields=settings.use_deprecated_free_fields_format,
        hide_caption=settings.hide_free_field_caption,
        key_limit=key_limit,
        record_limit=record_limit,
    )
