"""Starts the import that a draft has become, once: draft and run are settled in one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from app.auth.identity import Identity
from app.connections.connection import load_connection
from app.connections.pull import Pull
from app.drafts.draft import Draft, drop_files, open_source
from app.drafts.file import build_upload
from app.errors import Complaint, Refused
from app.imports.examine import Upload
from app.imports.intake import Submission, submit, submit_each
from app.imports.sources.pattern import find_files
from app.imports.submissions.from_connection import (
    build_submission,
    find_mapping,
    read_wanted,
    refuse_missing_coupon_set,
)
from app.mappings.declaring.requested import DEFAULT_MAPPING
from app.mappings.mapping import Mapping
from app.resources.conversion import quote_json
from app.runs.holding.cancellation import cancel_run
from app.runs.model import Run
from app.runs.status import find_run
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.storage.drafts.rows import list_checks

NO_TYPE = "Choose the record type first"


@dataclass(frozen=True, slots=True)
class StartedDraft:
    """The imports that have come of a draft, and how many files found no room in the queue."""

    runs: Sequence[Run]
    left: int = 0


async def start_import(
    runtime: Runtime,
    draft: Draft,
    sender: Identity,
    *,
    request_id: str,
    check: Callable[[Submission], None],
    dry_run: bool = False,
) -> StartedDraft:
    """Accepts the draft as an import; where its path is a pattern, one for each file that matches. `check` raises
    Refused for what the sender has no right to: the template may say it as well as the draft. With `dry_run` the import
    only shows what it would do: the draft stays until that is committed, and earlier ones of it are cancelled.

    Raises Refused as `submit` and `submit_each` do: after queue_full the draft is there as before. Raises not_found
    for a draft that has become an import meanwhile.
    """
    async with runtime.database.read() as session:
        mapping = await load_chosen_mapping(session, draft)
        parent = await find_parent(session, runtime, draft)
    if not draft.type:
        raise Refused("invalid", NO_TYPE, [Complaint("type", NO_TYPE)])
    wanted = read_wanted({"path": "", **draft.choices, "dryRun": dry_run}, mapping)
    await drop_checks(runtime, draft)
    file = await find_file(runtime, draft)
    try:
        built = build_submission(draft.account_id, wanted, file, mapping, sender=sender, request=request_id)
        # Its columns were looked at, so they need not be those of the import that it repeats.
        submission = replace(built, origin="dashboard", parent=parent, same_columns=False)
        options = replace(built.options, draft=draft.id if dry_run else None)
        submission = replace(submission, options=options, draft_id=None if dry_run else draft.id)
        check(submission)
        await refuse_missing_coupon_set(runtime, submission)
        started = await accept(runtime, submission)
    finally:
        if isinstance(file, Upload):
            file.writer.abort()
    if not dry_run:
        await drop_files(runtime, [draft.blob])
    return started


async def drop_checks(runtime: Runtime, draft: Draft) -> None:
    """Cancels the runs that wait with what the draft would do: it has been changed since, or is to be done now."""
    async with runtime.database.read() as session:
        checks = await list_checks(session, draft.account_id, draft.id)
        days = runtime.settings.retention_days
        found = [await find_run(session, draft.account_id, each, retention_days=days) for each in checks]
    for run in found:
        with suppress(Refused):  # somebody was faster
            await cancel_run(runtime, runtime.database.transaction(), run)


async def accept(runtime: Runtime, submission: Submission) -> StartedDraft:
    if isinstance(submission.file, Pull):
        files = await find_files(runtime, submission.account_id, submission.file)
        runs = await submit_each(runtime, submission, files)
        return StartedDraft(runs, len(files) - len(runs))
    return StartedDraft([await submit(runtime, submission)])


async def load_chosen_mapping(session: ReadSession, draft: Draft) -> Mapping:
    """The mapping that a draft has chosen, with the coupon set as a constant; the default if it has chosen none. Raises
    Refused("invalid")."""
    default = replace(DEFAULT_MAPPING, has_header=draft.choices.get("hasHeader") is not False)
    mapping = await find_mapping(session, draft.account_id, draft.choices) or default
    coupon_set = draft.choices.get("couponSetId")
    if not coupon_set or draft.type != "coupons":
        return mapping
    return replace(mapping, constants=mapping.constants | {"couponSetId": quote_json(str(coupon_set))})


async def find_parent(session: ReadSession, runtime: Runtime, draft: Draft) -> Run | None:
    """The import that is run again, unless it was deleted meanwhile: the draft has all that it needs."""
    if draft.parent_id is None:
        return None
    days = runtime.settings.retention_days
    with suppress(Refused):
        return await find_run(session, draft.account_id, draft.parent_id, retention_days=days)
    return None


async def find_file(runtime: Runtime, draft: Draft) -> Upload | Pull:
    """Raises Refused: gone, secrets_locked, not_found (the connection), unreadable_file."""
    if draft.is_upload:
        return await asyncio.to_thread(build_upload, runtime, draft)
    return await find_pull(runtime, draft)


async def find_pull(runtime: Runtime, draft: Draft) -> Pull:
    """Where the draft's file is. Raises Refused: secrets_locked, not_found (the connection)."""
    source = draft.source or {}
    if "connection_id" not in source:
        return open_source(runtime, draft)
    async with runtime.database.read() as session:
        connection = await load_connection(session, runtime.vault, draft.account_id, source["connection_id"])
    return Pull(connection.remote(), source["path"], connection.id)
