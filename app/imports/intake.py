"""Turns a checked submission into a queued run, or refuses it with nothing left behind."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from app.connections.pull import Pull, sealable, shown
from app.declarations.types import load_resource
from app.errors import Complaint, Refused
from app.formats import open_reader, refuse_data_without_heading
from app.formats.decode import normalize_encoding
from app.formats.records import Limits
from app.formats.sniff import detect_dialect
from app.imports.plan import Options, Plan, ReadOptions, stored
from app.imports.rows import Warned
from app.imports.sources.filenames import sanitize_filename
from app.imports.stages.map import all_fields, finder, map_header
from app.imports.stages.report import add_warnings
from app.observe.events import RunAccepted
from app.queue.tasks import next_job
from app.resources.schema import Resource
from app.runs.model import AccountId, Run, RunId, new_run_id, run_from
from app.runs.outbox import NOT_CONFIGURED
from app.runtime import Runtime
from app.storage import runs, types
from app.storage.access import accounts
from app.storage.blobs import BlobsUnavailable, BlobWriter
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
    """What a caller wants imported: a file that is here (`upload`) or one that is to be fetched (`pull`). The fields up
    to `has_header` are those of ReadOptions."""

    account_id: AccountId
    origin: str
    type: str
    upload: Upload | None
    format: str | None = None
    delimiter: str = "auto"
    caseless: bool = False
    options: Options = field(default_factory=Options)
    headings: Mapping[str, str] | None = None
    columns: tuple[str, ...] | None = None
    has_header: bool = True
    encoding: str | None = None  # of a file that is fetched; an upload was decoded as it came
    pull: Pull | None = None
    notify: str | None = None  # the address that is told by mail when it has ended
    request_id: str = ""

    @property
    def wish(self) -> ReadOptions:
        return ReadOptions(
            self.format,
            self.delimiter,
            self.encoding,
            self.caseless,
            self.headings,
            self.columns or (),
            self.has_header,
        )


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
    """Accepts an import: when this returns it is durable, with its file if that is here, and will reach an end.

    Raises Refused: not_found (type), empty_file, unreadable_file, invalid (header, options), queue_full.
    """
    if wanted.pull is not None:
        return await accept_pull(runtime, wanted, wanted.pull)
    assert wanted.upload is not None  # noqa: S101  one of the two is there
    return await accept_upload(runtime, wanted, wanted.upload)


async def accept_upload(runtime: Runtime, wanted: Submission, upload: Upload) -> Run:
    try:
        async with runtime.database.read() as session:
            found = await load_resource(session, wanted.account_id, wanted.type)
        examined = await asyncio.to_thread(examine_upload, upload, wanted.wish, wanted.options, found, runtime.limits)
        blob = await asyncio.to_thread(upload.writer.commit)
    except BaseException:
        upload.writer.abort()
        raise
    file = {
        "plan": stored(examined.plan),
        "blob": blob,
        "file_name": upload.file_name,
        "file_bytes": upload.size,
        "file_sha256": upload.sha256,
        "total": examined.total,
    }
    try:
        async with runtime.database.transaction() as session:
            await ensure_declared(session, wanted, examined.plan.declaration)
            run = await accept(session, runtime, wanted, new_run_id(), file, examined.warnings)
    except Refused:
        # Only a refusal is certain not to have committed; after a broken connection the sweep of blobs decides, and so
        # it does where the store is away.
        with suppress(BlobsUnavailable):
            await asyncio.to_thread(runtime.blobs.delete, blob)
        raise
    return await announced(runtime, run)


async def accept_pull(runtime: Runtime, wanted: Submission, pull: Pull) -> Run:
    """Fetching is a part of the run: nothing is dialled here."""
    if wanted.encoding:
        normalize_encoding(wanted.encoding)
    run_id = new_run_id()
    file = {
        "plan": stored(wanted.wish),
        "file_name": sanitize_filename(pull.file_name),
        "file_bytes": 0,
        "file_sha256": "",
        "source": shown(pull),
        "secret": runtime.vault.seal(sealable(pull), bound_to=f"run:{run_id}"),
    }
    async with runtime.database.transaction() as session:
        await load_resource(session, wanted.account_id, wanted.type)
        run = await accept(session, runtime, wanted, run_id, file, [])
    return await announced(runtime, run)


async def announced(runtime: Runtime, run: Run) -> Run:
    runtime.observe(RunAccepted(run.id, run.account_id, run.type, run.origin, run.file_bytes, run.total))
    await runtime.enqueue(next_job(to_fetch=run.blob is None), run.id, run.attempt)
    return run


def examine_upload(
    upload: Upload, wish: ReadOptions, options: Options, found: tuple[Resource, object | None], limits: Limits
) -> Examined:
    """Settles dialect and columns and counts the rows, with the reader that the engine will use. Blocking. `found` is
    the type and the account's own part of its declaration."""
    resource, declaration = found
    with upload.writer.open_for_reading() as file:
        head = file.read(HEAD_BYTES)
        dialect = detect_dialect(
            head, declared_format=wish.format, file_name=upload.file_name, delimiter=wish.delimiter
        )
        dialect = replace(dialect, encoding=upload.encoding, columns=wish.columns, has_header=wish.has_header)
        reader = open_reader(file, dialect, limits)
        refuse_data_without_heading(reader)
        if dialect.format == "csv":
            find = finder(resource, caseless=wish.caseless, headings=wish.headings)
            columns, warnings = map_header(reader.header, resource, options, find)
        else:
            columns, warnings = all_fields(resource, options), []
        total = reader.count()
        refuse_bulky(options, total)
        return Examined(Plan(dialect, reader.header, columns, declaration), total, warnings)


def refuse_bulky(options: Options, total: int) -> None:
    """What all rows share is written for each of them: a small request must not fill the disk."""
    if total * sum(map(len, options.constants.values())) > MOST_SHARED_BYTES:
        told = f"What all rows share would take more than {MOST_SHARED_BYTES} bytes in {total:,} rows"
        raise Refused("invalid", told, [Complaint("", told)])


async def ensure_declared(session: Session, wanted: Submission, declaration: object | None) -> None:
    """Raises Refused("invalid") when the type was changed while the file was read."""
    if await types.get(session, wanted.account_id, wanted.type) != declaration:
        told = f"The type {wanted.type!r} was declared anew while the file was read; send it again"
        raise Refused("invalid", told, [Complaint("type", told)])


async def accept(
    session: Session,
    runtime: Runtime,
    wanted: Submission,
    run_id: RunId,
    file: Mapping[str, object],
    warned: Sequence[Warned],
) -> Run:
    """Stores the run. The account's row is locked first: 50 parallel posts get exactly as many in as there is room."""
    limit = runtime.settings.queue_limit
    seq = await accounts.next_seq(session, wanted.account_id)
    if await runs.open_count(session, wanted.account_id) >= limit:
        raise full(limit)
    warnings: list[dict[str, object]] = []
    add_warnings(warnings, warned)
    if wanted.notify and runtime.mailer is None:
        add_warnings(warnings, [Warned("mail_not_configured", "", NOT_CONFIGURED)])
    values = {
        "id": run_id,
        "account_id": wanted.account_id,
        "seq": seq,
        "type": wanted.type,
        "origin": wanted.origin,
        "request_id": wanted.request_id,
        "options": stored(wanted.options),
        "notify": wanted.notify,
        "warnings": warnings,
    }
    return run_from(await runs.add(session, values | dict(file)))


def full(limit: int) -> Refused:
    told = f"{limit} imports of this account are waiting or running; wait until one of them has ended"
    return Refused("queue_full", told, retry_after=QUEUE_RETRY_SECONDS)
