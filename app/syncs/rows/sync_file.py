"""Opens the stored files of a sync: how each is read, how many rows it has, and what checks them."""

from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from app.formats import open_reader, refuse_data_without_heading
from app.formats.delimited import DelimitedReader
from app.formats.detection.text import refuse_foreign_text
from app.formats.records import Dialect, Limits, Reader
from app.formats.sniff import detect_dialect
from app.problems import shorten
from app.runs.summary import RunWarning
from app.syncs.files import Role
from app.syncs.rows.filter_rows import FilterRows
from app.syncs.rows.item_rows import ItemRows
from app.syncs.rows.rules import RowRules

ROWS: Final[dict[Role, type[ItemRows] | type[FilterRows]]] = {Role.ITEMS: ItemRows, Role.FILTERS: FilterRows}
HEAD_BYTES: Final = 65_536  # from which the dialect is found
IGNORED: Final = "Column `{}` was ignored, because no field is filled by it"


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """How a stored file is read, and how many rows it has."""

    dialect: Dialect
    rows: int
    warnings: list[RunWarning]


def examine_file(file: BinaryIO, role: Role, *, separator: str, encoding: str, limits: Limits) -> ExaminedFile:
    """Reads a stored file (UTF-8) once, before its run has a plan. `separator` is a delimiter or "auto"; `encoding` is
    that of the file as it was fetched. Raises Refused: empty_file, unreadable_file, invalid (header). Blocking."""
    head = file.read(HEAD_BYTES)
    dialect = detect_dialect(head, declared_format="csv", file_name=None, delimiter=separator)
    dialect = replace(dialect, encoding=encoding)
    refuse_foreign_text(head, dialect.format, whole=len(head) < HEAD_BYTES, prescribed=True)
    reader = open_reader(file, dialect, limits)
    if isinstance(reader, DelimitedReader):  # every slice opens the file again, and must not look again
        dialect = replace(dialect, rows_end_with_delimiter=reader.rows_end_with_delimiter)
    rows = ROWS[role](reader.header, RowRules())
    refuse_data_without_heading(reader)
    warnings = [
        RunWarning("unknown_column", shorten(heading), IGNORED.format(shorten(heading))) for heading in rows.unknown
    ]
    return ExaminedFile(dialect, reader.count(), warnings)


def open_rows(
    file: BinaryIO, role: Role, dialect: Dialect, *, rules: RowRules, limits: Limits
) -> tuple[Reader, ItemRows | FilterRows]:
    """The reader of a file that was examined, and what checks its batches. Raises Refused if it is another file."""
    reader = open_reader(file, dialect, limits)
    return reader, ROWS[role](reader.header, rules)
