"""Reads a file once before it is accepted: finds its dialect, maps its columns and counts its rows."""

from dataclasses import dataclass, replace
from typing import Final

from app.errors import Complaint, Refused
from app.formats import open_reader, refuse_data_without_heading
from app.formats.delimited import DelimitedReader
from app.formats.detection.report_header import read_report_delimiter
from app.formats.detection.text import refuse_foreign_text
from app.formats.records import Dialect, Limits, Reader
from app.formats.sniff import detect_dialect
from app.imports.plan import Options, PendingPlan, Plan, ReadOptions
from app.imports.seen import refuse_other_columns
from app.mappings.columns import FoundColumns, WarnedColumn, find_columns, list_fields
from app.mappings.declaring.fitting import fit_requested
from app.mappings.explain import FileStart, explain_refusal
from app.mappings.headings import ColumnFinder
from app.mappings.hints.headings import ask_meaning
from app.mappings.mapping import Mapping
from app.problems import shorten
from app.resources.schema import Resource
from app.runs.summary import RunWarning
from app.storage.blobs import BlobWriter
from app.workbooks.workbook import ReadSheet

HEAD_BYTES: Final = 65_536  # the beginning of the file, from which the dialect is found
MOST_CONSTANT_BYTES: Final = 1_073_741_824  # of all rows together
UNNAMED: Final = "Column `{}` was ignored, because the mapping does not name it"
WARNED: Final = {
    "read_only_column": "Column `{}` was ignored, because the service fills this field itself",
    "unknown_column": "Column `{}` was ignored, because the type has no such field",
    "missing_column": "Column `{}` is named by the mapping, but the file does not have it",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was received, written as UTF-8 to a blob that is not committed yet."""

    writer: BlobWriter
    file_name: str | None
    size: int  # bytes as sent
    sha256: str  # of the bytes as sent
    encoding: str  # of the bytes as sent
    dialect: Dialect | None = None  # how it is read, where that is known and not found from the file
    sheet: ReadSheet | None = None  # of a workbook, of which it is the CSV


@dataclass(frozen=True, slots=True)
class Examination:
    """What reading the whole file once has shown."""

    plan: Plan
    total: int  # rows
    warnings: list[RunWarning]


def examine_upload(
    upload: Upload,
    pending: PendingPlan,
    options: Options,
    resource: Resource,
    *,
    declaration: object | None,
    limits: Limits,
) -> Examination:
    """Settles the dialect and the columns, and counts the rows with the reader that the engine will use. Blocking.

    Raises Refused: empty_file, unreadable_file, invalid (header, options).
    """
    mapping = fit_requested(pending.mapping, resource)
    # What is said of delimiters is not meant for the CSV of a workbook.
    read = replace(pending.read, format="csv", delimiter=",") if upload.sheet else pending.read
    with upload.writer.open_for_reading() as file:
        head = file.read(HEAD_BYTES)
        dialect = find_dialect(head, upload, read, mapping)
        refuse_foreign(head, dialect, read)
        try:
            reader = open_reader(file, dialect, limits)
            if isinstance(reader, DelimitedReader):  # every slice opens the file again, and must not look again
                dialect = replace(dialect, rows_end_with_delimiter=reader.rows_end_with_delimiter)
            if not (dialect.has_header or dialect.columns):
                dialect = replace(dialect, columns=reader.header)
            if pending.seen and dialect.format == "csv":
                refuse_other_columns(reader.header, pending.seen, mapping, resource)
            found = settle_columns(reader, dialect, resource, mapping, options)
            refuse_data_without_heading(reader, known=[column.index for column in found.columns])
        except Refused as refused:
            start = FileStart(head, dialect, read.prescribed, rerun=pending.seen is not None)
            raise explain_refusal(refused, start, ColumnFinder(mapping, resource).find_field) from None
        total = reader.count()
    refuse_bulky(mapping.constants, total)
    columns, ignored = found.columns, found.ignored
    plan = Plan(dialect, reader.header, columns, declaration, mapping.constants, mapping, ignored, pending.read)
    return Examination(plan, total, list_warnings(upload, found, mapping))


def list_warnings(upload: Upload, found: FoundColumns, mapping: Mapping) -> list[RunWarning]:
    warnings = [warn_of(column, mapping) for column in found.warned]
    if upload.sheet and (left := upload.sheet.describe_others()):
        warnings.append(RunWarning("other_sheets", "", left))
    return warnings


def find_dialect(head: bytes, upload: Upload, read: ReadOptions, mapping: Mapping) -> Dialect:
    """Raises Refused("invalid")."""
    if upload.dialect is not None:
        return upload.dialect
    dialect = detect_dialect(head, declared_format=read.format, file_name=upload.file_name, delimiter=read.delimiter)
    if read_report_delimiter(head) is None:  # else the file has a header, whatever the first one had
        dialect = replace(dialect, columns=mapping.header, has_header=mapping.has_header)
    return replace(dialect, encoding=upload.encoding, workbook=upload.sheet is not None)


def refuse_foreign(head: bytes, dialect: Dialect, read: ReadOptions) -> None:
    """Raises Refused("unreadable_file") for text of another kind. JSON Lines that a surface itself has written are
    not looked at: there, a row of any kind is the row's own problem."""
    if read.prescribed and read.format == "jsonl":
        return
    refuse_foreign_text(head, dialect.format, whole=len(head) < HEAD_BYTES, prescribed=read.prescribed)


def settle_columns(
    reader: Reader, dialect: Dialect, resource: Resource, mapping: Mapping, options: Options
) -> FoundColumns:
    if dialect.format != "csv":
        listed = FoundColumns(list_fields(resource, mapping))
        return keep_keys(listed, resource, with_header=False) if options.deletes else listed
    found = find_columns(
        reader.header,
        require_only_keys(resource) if options.deletes else resource,
        mapping,
        unknown="ignore" if options.deletes else options.unknown_columns,
        key_required=not options.anonymous,
    )
    if options.removes:
        refuse_without_key(found, resource, "mode" if options.deletes else "replace")
    return keep_keys(found, resource, with_header=True) if options.deletes else found


def require_only_keys(resource: Resource) -> Resource:
    """The type for rows that only say which record they are about."""
    fields = (each if each.id in resource.keys else replace(each, required=False) for each in resource.fields)
    return replace(resource, fields=tuple(fields))


def keep_keys(found: FoundColumns, resource: Resource, *, with_header: bool) -> FoundColumns:
    """The columns that say which record a row is about; all others are left out."""
    keys = tuple(column for column in found.columns if column.field in resource.keys)
    others = {column.index for column in found.columns if with_header and column not in keys}
    return FoundColumns(keys, found.warned, tuple(sorted({*found.ignored, *others})))


def refuse_without_key(found: FoundColumns, resource: Resource, option: str) -> None:
    """Where this service makes the keys, each row without one makes a new record: a replacement would give all records
    new keys, and a delete would remove nothing. Raises Refused("invalid")."""
    if resource.generates_key and all(column.field not in resource.keys for column in found.columns):
        reason = f"`{option}` needs a column for `{resource.keys[0]}`, which says of each row which record it is about"
        raise Refused("invalid", reason, [Complaint(option, reason)])


def warn_of(column: WarnedColumn, mapping: Mapping) -> RunWarning:
    heading = shorten(column.heading)
    unnamed = mapping.is_native and column.code == "unknown_column"
    message = (UNNAMED if unnamed else WARNED[column.code]).format(heading)
    advice = ask_meaning(column.heading, column.meant, column.field) if column.meant else {}
    return RunWarning(column.code, heading, message, advice=advice)


def refuse_bulky(constants: dict[str, str], total: int) -> None:
    """Constants are stored for each row, and a small request must not fill the disk. Raises Refused("invalid")."""
    if total * sum(map(len, constants.values())) > MOST_CONSTANT_BYTES:
        reason = (
            f"The values that every row gets would take more than {MOST_CONSTANT_BYTES:,} bytes in {total:,} rows. "
            "Send shorter values or fewer rows"
        )
        raise Refused("invalid", reason, [Complaint("", reason)])
