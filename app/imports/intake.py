"""Turns a checked submission into a queued run, or refuses it with nothing left behind."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.errors import Complaint, Refused
from app.formats import open_reader, refuse_nameless_data
from app.formats.records import Limits
from app.formats.sniff import dialect_for
from app.imports.plan import Options, Plan, stored
from app.imports.rows import Warned
from app.imports.stages.map import all_fields, finder, map_header
from app.imports.stages.report import add_warnings
from app.imports.types import resource_for
from app.jobs.kinds import IMPORT_SLICE
from app.observe.events import RunAccepted
from app.resources.vocabulary import Resource
from app.runs.model import AccountId, Run, new_run_id, run_from
from app.runtime import Runtime
from app.storage import runs, types
from app.storage.access import accounts
from app.storage.blobs import BlobWriter
from app.storage.database import ReadSession, Session

HEAD_BYTES = 65_536  # what the dialect is judged by
MOST_SHARED_BYTES = 1_073_741_824
QUEUE_RETRY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was received: written to a blob (UTF-8 by now) that is not committed yet."""

    writer: BlobWriter
    file_name: str | None
    size: int  # bytes as sent
    sha256: str  # of the bytes as sent
    encoding: str  # what they were


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller wants imported. `delimiter` may be "auto"; `format` and `caseless` as the surface rules."""

    account_id: AccountId
    origin: str
    type: str
    upload: Upload
    format: str | None = None
    delimiter: str = "auto"
    caseless: bool = False  # headings match fields without regard to case
    options: Options = field(default_factory=Options)
    headings: Mapping[str, str] | None = None  # the surface's own words for fields, in lower case
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """What reading the whole file once has told."""

    plan: Plan
    total: int
    warnings: list[Warned]


async def ensure_room(session: ReadSession, account_id: AccountId, *, limit: int) -> None:
    """Refuses before a file is read what `submit` would refuse after. Raises Refused("queue_full")."""
    if await runs.open_count(session, account_id) >= limit:
        raise full(limit)


async def submit(runtime: Runtime, wanted: Submission) -> Run:
    """Accepts an import: when this returns, file and run are durable and the run will reach an end.

    Raises Refused: not_found (type), empty_file, unreadable_file, invalid (header, options), queue_full.
    """
    try:
        async with runtime.database.read() as session:
            resource, declaration = await resource_for(session, wanted.account_id, wanted.type)
        examined = await asyncio.to_thread(examine, wanted, resource, declaration, runtime.limits)
        blob = await asyncio.to_thread(wanted.upload.writer.commit)
    except BaseException:
        wanted.upload.writer.abort()
        raise
    try:
        async with runtime.database.transaction() as session:
            run = await accept(session, wanted, examined, blob, limit=runtime.settings.queue_limit)
    except Refused:
        # Only a refusal is certain not to have committed; after a broken connection the sweep of blobs decides.
        runtime.blobs.delete(blob)
        raise
    runtime.observe(RunAccepted(run.id, run.account_id, run.type, run.origin, run.file_bytes, run.total))
    await runtime.ring(IMPORT_SLICE, run.id, run.attempt)
    return run


def examine(wanted: Submission, resource: Resource, declaration: object | None, limits: Limits) -> Examined:
    """Settles dialect and columns and counts the rows, with the reader that the engine will use. Blocking."""
    upload = wanted.upload
    with upload.writer.reading() as file:
        head = file.read(HEAD_BYTES)
        dialect = dialect_for(
            head, declared_format=wanted.format, file_name=upload.file_name, delimiter=wanted.delimiter
        )
        dialect = replace(dialect, encoding=upload.encoding)
        reader = open_reader(file, dialect, limits)
        refuse_nameless_data(reader)
        if dialect.format == "csv":
            find = finder(resource, caseless=wanted.caseless, headings=wanted.headings)
            columns, warnings = map_header(reader.header, resource, wanted.options, find)
        else:
            columns, warnings = all_fields(resource, wanted.options), []
        total = reader.count()
        refuse_bulky(wanted.options, total)
        return Examined(Plan(dialect, reader.header, columns, declaration), total, warnings)


def refuse_bulky(options: Options, total: int) -> None:
    """What all rows share is written for each of them: a small request must not fill the disk."""
    if total * sum(map(len, options.constants.values())) > MOST_SHARED_BYTES:
        told = f"What all rows share would take more than {MOST_SHARED_BYTES} bytes in {total:,} rows"
        raise Refused("invalid", told, [Complaint("", told)])


async def accept(session: Session, wanted: Submission, examined: Examined, blob: str, *, limit: int) -> Run:
    """Stores the run. The account's row is locked first: 50 parallel posts get exactly as many in as there is room."""
    seq = await accounts.next_seq(session, wanted.account_id)
    if await runs.open_count(session, wanted.account_id) >= limit:
        raise full(limit)
    if await types.get(session, wanted.account_id, wanted.type) != examined.plan.declaration:
        told = f"The type {wanted.type!r} was declared anew while the file was read; send it again"
        raise Refused("invalid", told, [Complaint("type", told)])
    warnings: list[dict[str, object]] = []
    add_warnings(warnings, examined.warnings)
    row = await runs.add(
        session,
        {
            "id": new_run_id(),
            "account_id": wanted.account_id,
            "seq": seq,
            "type": wanted.type,
            "origin": wanted.origin,
            "request_id": wanted.request_id,
            "options": stored(wanted.options),
            "plan": stored(examined.plan),
            "blob": blob,
            "file_name": wanted.upload.file_name,
            "file_bytes": wanted.upload.size,
            "file_sha256": wanted.upload.sha256,
            "total": examined.total,
            "warnings": warnings,
        },
    )
    return run_from(row)


def full(limit: int) -> Refused:
    told = f"{limit} imports of this account are waiting or running; wait until one of them has ended"
    return Refused("queue_full", told, retry_after=QUEUE_RETRY_SECONDS)
