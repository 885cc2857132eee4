"""Gives a draft its file: one that was uploaded, or one that is at another server."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from app.auth.identity import Identity, ensure_live
from app.connections.pull import Pull
from app.drafts.draft import (
    NO_FILE,
    NO_SOURCE,
    Draft,
    add_draft,
    change_draft,
    drop_files,
    new_draft_id,
    source_columns,
)
from app.drafts.facts import FileFacts, FileReading, facts_to_json
from app.drafts.file import fetch_beginning, keep_file, read_again, read_file
from app.errors import Refused
from app.imports.examine import Upload
from app.quotas.stored import ensure_bytes
from app.runs.model import AccountId
from app.runtime import Runtime

READING: Final = ("format", "delimiter", "encoding", "hasHeader")  # choices of how a file is read


async def keep_upload(
    runtime: Runtime,
    account_id: AccountId,
    sender: Identity,
    upload: Upload,
    *,
    draft: Draft | None = None,
    values: Mapping[str, Any] | None = None,
) -> Draft:
    """Makes a draft of an upload that a RawFile has taken in, or gives it to a draft in place of its file. `values` are
    other columns. What was chosen of how the earlier file is read counts as long as it fits.

    Raises Refused: empty_file, unreadable_file, too_large, invalid (the header), queue_full (too many drafts),
    quota_reached, not_found (the draft is done meanwhile), not_authenticated.
    """
    facts, choices = await read_new(runtime, account_id, upload, draft, dict((values or {}).get("choices") or {}))
    file = await keep_file(upload)
    columns = {**NO_SOURCE, **(values or {}), **file.columns(), "facts": facts_to_json(facts), "choices": choices}
    try:
        stored = await store(runtime, account_id, sender, draft, columns)
    except Refused:
        await drop_files(runtime, [file.blob])
        raise
    await drop_files(runtime, [draft.blob if draft else None])
    return stored


async def read_new(
    runtime: Runtime, account_id: AccountId, upload: Upload, draft: Draft | None, given: dict[str, Any]
) -> tuple[FileFacts, dict[str, Any]]:
    """What the file is, and the choices that go on with it."""
    choices = {**(draft.choices if draft else {}), **given}
    wanted = FileReading.from_choices(choices)
    try:
        return await read_file(runtime, account_id, upload, wanted), choices
    except Refused:
        if wanted == FileReading():
            raise
    kept = {name: value for name, value in choices.items() if name not in READING}
    return await read_file(runtime, account_id, upload, FileReading()), kept


async def keep_source(
    runtime: Runtime,
    account_id: AccountId,
    sender: Identity,
    pull: Pull,
    *,
    draft: Draft | None = None,
    values: Mapping[str, Any] | None = None,
) -> Draft:
    """Makes a draft of a file that is elsewhere, or has a draft take it in place of its file. No server is called.
    Raises Refused: queue_full (too many drafts), not_found, not_authenticated."""
    draft_id = draft.id if draft else new_draft_id()
    columns = {**NO_FILE, **(values or {}), **source_columns(runtime, draft_id, pull)}
    if draft is None:
        columns["id"] = draft_id
    stored = await store(runtime, account_id, sender, draft, columns)
    await drop_files(runtime, [draft.blob if draft else None])
    return stored


async def store(
    runtime: Runtime, account_id: AccountId, sender: Identity, draft: Draft | None, columns: Mapping[str, Any]
) -> Draft:
    async with runtime.database.transaction() as session:
        await ensure_live(session, sender)
        if size := columns.get("file_bytes"):
            await ensure_bytes(session, account_id, size - (draft.file_bytes or 0 if draft else 0))
        if draft is not None:
            return await change_draft(session, draft, columns)
        return await add_draft(session, account_id, {"created_by": sender.id, **columns})


async def look_at_beginning(runtime: Runtime, draft: Draft, pull: Pull, sender: Identity) -> Draft:
    """Fetches the beginning of the file of a draft that is elsewhere, and stores it with what it shows. Raises Refused:
    invalid (the server, what was chosen), empty_file, too_large, unreadable_file, quota_reached, not_found,
    not_authenticated."""
    file = await fetch_beginning(runtime, draft.account_id, pull, draft.choices.get("sheet") or "")
    try:
        facts = await read_again(runtime, replace(draft, **file.columns()), draft.choices, file.sheet)
        columns = {**file.columns(), "facts": facts_to_json(facts)}
        stored = await store(runtime, draft.account_id, sender, draft, columns)
    except Refused:
        await drop_files(runtime, [file.blob])
        raise
    await drop_files(runtime, [draft.blob])
    return stored
