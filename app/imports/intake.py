"""Accepts an import: turns a submission into a queued run, or refuses it and leaves nothing behind."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from app.auth.identity import Identity, ensure_live, keep_answer
from app.connections.pull import Pull, describe_pull
from app.declarations.types import ensure_type, load_resource
from app.deliveries.outbox import accept_notice
from app.deliveries.webhooks.stored import ensure_webhook
from app.errors import Complaint, Refused, shorten_name
from app.formats.decode import normalize_encoding
from app.imports.examine import Upload, examine_upload
from app.imports.plan import (
    Options,
    PendingPlan,
    ReadOptions,
    load_request,
    options_to_json,
    pending_plan_to_json,
    plan_to_json,
)
from app.imports.row_files.row_set import RowSet
from app.imports.row_files.taken_rows import take_rows
from app.imports.sources.fetch import seal_pull
from app.imports.sources.filenames import sanitize_filename
from app.imports.sources.same_file import look_for_same_file
from app.mappings.declaring.fitting import fit_requested
from app.mappings.mapping import Mapping
from app.mappings.templates.stored import mark_used
from app.runs.acceptance import accept_run, announce_run
from app.runs.holding.defaults import settle_brakes
from app.runs.kinds import Kind, Step
from app.runs.model import AccountId, Relation, Run, new_run_id
from app.runs.summary import RunWarning, add_warnings
from app.runtime import Runtime
from app.storage import runs, types
from app.storage.access import accounts
from app.storage.blobs import BlobsUnavailable
from app.storage.database import ReadSession, Session
from app.storage.declared import coupon_sets
from app.storage.drafts import rows as drafts
from app.transports.transport import FileInfo

ONE_FILE = "`replace` takes one file, and several match the path: each would remove what the one before has brought"


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller wants imported: a file that was uploaded, or one that a worker has to fetch."""

    account_id: AccountId
    origin: str  # the surface that takes it, or its endpoint
    type: str
    file: Upload | Pull
    read: ReadOptions = field(default_factory=ReadOptions)
    mapping: Mapping = field(default_factory=Mapping)
    options: Options = field(default_factory=Options)
    name: str | None = None  # what people call it: app.runs.acceptance.parse_run_name
    notify: str | None = None  # the e-mail address to notify when the import has ended
    webhook_id: str | None = None  # of the webhook that is told when the import has ended or is held
    request_id: str = ""
    parent: Run | None = None  # the import that this one came of
    relation: Relation = Relation.RERUN  # what it is to the parent, if it has one
    sender: Identity | None = None
    started_by: str | None = None  # the id of what has started it, if no caller did
    draft_id: str | None = None  # of the draft that becomes this import, and is used up by it
    same_columns: bool = True  # whether the file has to have the columns that the parent's had
    taken: RowSet | None = None  # the rows of the parent that the file has, if somebody knows

    @property
    def created_by(self) -> str | None:
        return self.started_by if self.sender is None else self.sender.id

    @property
    def pending_plan(self) -> PendingPlan:
        seen = load_request(self.parent).seen if self.parent is not None and self.same_columns else None
        return PendingPlan(self.read, self.mapping, seen)


async def find_missing(
    session: ReadSession, account_id: AccountId, *, type: str, coupon_set: str | None
) -> list[Complaint]:
    """What a request names but the account does not have. "" and None are not looked up."""
    missing = []
    if type:
        try:
            await ensure_type(session, account_id, shorten_name(type))
        except Refused as refused:
            missing.append(Complaint("type", refused.detail))
    if coupon_set and not await coupon_sets.exists(session, account_id, coupon_set):
        missing.append(Complaint("couponSetId", f'There is no coupon set "{shorten_name(coupon_set)}"'))
    return missing


async def submit(runtime: Runtime, submission: Submission) -> Run:
    """Accepts an import. Once this returns, the import and its uploaded file are durable, and the import will end.

    Raises Refused: not_found (type), empty_file, unreadable_file, invalid (header, options), queue_full.
    """
    if isinstance(submission.file, Pull):
        return await accept_pull(runtime, submission, submission.file)
    return await accept_upload(runtime, submission, submission.file)


async def submit_each(runtime: Runtime, submission: Submission, files: Sequence[FileInfo]) -> list[Run]:
    """Submits one import per file, in this order, until the queue is full: all of them or, where one is refused for
    another reason, none.

    Raises Refused as `submit` does, but queue_full only if there is no room for the first file.
    """
    await check_pull(runtime, submission)
    async with runtime.database.transaction() as session:
        accepted = await store_each(session, runtime, submission, files)
        await keep_answer(session, submission.sender, accepted)
    for run in accepted:
        await announce_run(runtime, run)
    return accepted


async def store_each(
    session: Session, runtime: Runtime, submission: Submission, files: Sequence[FileInfo]
) -> list[Run]:
    """Stores one import per file, as `submit_each` does, within a transaction. `submission.file` names the remote; each
    import gets the path of its own file. Announce the runs after the commit."""
    assert isinstance(submission.file, Pull)  # noqa: S101  for the type only
    if submission.options.replace and len(files) > 1:
        raise Refused("invalid", ONE_FILE, [Complaint("replace", ONE_FILE)])
    accepted: list[Run] = []
    for file in files:
        try:
            one = submission if not accepted else replace(submission, draft_id=None)  # the first has used it up
            accepted.append(await store_pull(session, runtime, one, replace(submission.file, path=file.path)))
        except Refused as refused:
            if refused.code != "queue_full" or not accepted:
                raise
            break
    return accepted


async def accept_upload(runtime: Runtime, submission: Submission, upload: Upload) -> Run:
    try:
        async with runtime.database.read() as session:
            resource, declaration = await load_resource(session, submission.account_id, submission.type)
        examined = await asyncio.to_thread(
            examine_upload,
            upload,
            submission.pending_plan,
            submission.options,
            resource,
            declaration=declaration,
            limits=runtime.limits,
        )
        blob = await asyncio.to_thread(upload.writer.commit)
    except BaseException:
        upload.writer.abort()
        raise
    file: dict[str, object] = {
        "id": new_run_id(),
        "plan": plan_to_json(examined.plan),
        "blob": blob,
        "blob_digests": upload.writer.digests,
        "file_name": upload.file_name,
        "file_bytes": upload.size,
        "file_sha256": upload.sha256,
        "total": examined.total,
    }
    try:
        async with runtime.database.transaction() as session:
            await hold_account(session, submission)
            await ensure_type_unchanged(session, submission, examined.plan.declaration)
            run = await store_run(session, runtime, submission, Step.WRITE, file, examined.warnings)
            await keep_answer(session, submission.sender, [run])
    except Refused:
        # Only a refusal is certain not to have committed. After a broken connection the sweep of blobs decides, and so
        # it does if the store cannot be reached.
        with suppress(BlobsUnavailable):
            await asyncio.to_thread(runtime.blobs.delete, blob)
        raise
    return await announce_run(runtime, run)


async def accept_pull(runtime: Runtime, submission: Submission, pull: Pull) -> Run:
    """Connects to nothing: fetching the file is a part of the run (ADR 17)."""
    await check_pull(runtime, submission)
    async with runtime.database.transaction() as session:
        run = await store_pull(session, runtime, submission, pull)
        await keep_answer(session, submission.sender, [run])
    return await announce_run(runtime, run)


async def check_pull(runtime: Runtime, submission: Submission) -> None:
    """A mistake in the encoding or the mapping is told now, and not when the file is there. Raises Refused."""
    if submission.read.encoding:
        normalize_encoding(submission.read.encoding)
    if submission.mapping.is_native:
        async with runtime.database.read() as session:
            resource, _ = await load_resource(session, submission.account_id, submission.type)
        await asyncio.to_thread(fit_requested, submission.mapping, resource)


async def store_pull(session: Session, runtime: Runtime, submission: Submission, pull: Pull) -> Run:
    """Raises Refused: not_found (type), and as `store_run` does."""
    run_id = new_run_id()
    file: dict[str, object] = {
        "id": run_id,
        "plan": pending_plan_to_json(submission.pending_plan),
        "file_name": sanitize_filename(pull.file_name),
        "file_bytes": 0,
        "file_sha256": "",
        "source": describe_pull(pull),
        "secret": seal_pull(runtime, run_id, pull),
    }
    await hold_account(session, submission)
    await ensure_type(session, submission.account_id, submission.type)
    return await store_run(session, runtime, submission, Step.FETCH, file, [])


async def hold_account(session: Session, submission: Submission) -> None:
    """Nobody deletes or changes a type until the transaction ends. Raises Refused: not_authenticated if the sender is
    not live any more; invalid (the webhook, unless the parent has named it)."""
    if submission.sender is not None:
        await ensure_live(session, submission.sender)
    if submission.sender is not None and submission.parent is None:
        await ensure_webhook(session, submission.account_id, submission.webhook_id)
    await accounts.lock(session, submission.account_id)


async def ensure_type_unchanged(session: Session, submission: Submission, declaration: object | None) -> None:
    """Raises Refused("invalid") if the type was changed while the file was being read."""
    if await types.get(session, submission.account_id, submission.type) != declaration:
        reason = f"The type `{submission.type}` was changed while the file was being read. Send the file again"
        raise Refused("invalid", reason, [Complaint("type", reason)])


async def store_run(
    session: Session,
    runtime: Runtime,
    submission: Submission,
    step: Step,
    file: dict[str, object],
    warned: Sequence[RunWarning],
) -> Run:
    """Stores the run of an account that is held, with its warnings. `file` is what is known of its file. Raises
    Refused: queue_full, not_found (the draft, or the import that is to run again), nothing_to_retry (others have its
    rows)."""
    if submission.draft_id is not None:
        await use_draft(session, submission, str(file["id"]))
    await hold_parent(session, submission)
    sha256, run_id = str(file["file_sha256"]), str(file["id"])
    same = await look_for_same_file(
        session, submission.account_id, submission.type, submission.options, sha256, run_id=run_id
    )
    warnings: list[dict[str, object]] = []
    add_warnings(warnings, [*warned, *same, *accept_notice(runtime, Kind.IMPORT, submission.notify or None)])
    values = {
        "name": submission.name,
        "type": submission.type,
        "origin": submission.origin,
        "request_id": submission.request_id,
        "parent_id": submission.parent.id if submission.parent else None,
        "relation": submission.relation if submission.parent else None,
        "created_by": submission.created_by,
        "options": options_to_json(await settle_options(session, submission), submission.mapping),
        "notify": submission.notify,
        "webhook_id": submission.webhook_id,
        "warnings": warnings,
    }
    run = await accept_run(session, runtime, submission.account_id, Kind.IMPORT, step, values | file)
    if submission.parent is not None and submission.taken is not None:
        await take_rows(session, submission.parent.id, run.id, submission.taken)
    await mark_used(session, submission.account_id, submission.mapping.id)
    return run


async def hold_parent(session: Session, submission: Submission) -> None:
    """Raises Refused("not_found")."""
    if submission.parent is not None and not await runs.hold(session, submission.parent.id):
        raise Refused("not_found", "The import that was to run again has been deleted meanwhile")


async def settle_options(session: ReadSession, submission: Submission) -> Options:
    """As the run keeps them: with the brakes of the account where it has none. Some rows of a file may be few."""
    options = submission.options.settled
    brakes = await settle_brakes(
        session, submission.account_id, options.brakes, replaces=options.replace, removes=options.removes
    )
    if brakes is not None and submission.relation in (Relation.RETRY, Relation.CORRECTION):
        brakes = replace(brakes, min_rows=None)
    return replace(options, brakes=brakes)


async def use_draft(session: Session, submission: Submission, run_id: str) -> None:
    """Of several requests that start one draft, one gets here first. Raises Refused("not_found")."""
    if not await drafts.use_up(session, submission.account_id, str(submission.draft_id), run_id):
        raise Refused("not_found", "This draft has been started or discarded meanwhile")
