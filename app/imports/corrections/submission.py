"""Accepts an import of the rows of another that corrections are about, with the corrections made."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from app.auth.identity import Identity
from app.declarations.types import load_resource
from app.errors import Complaint, Refused
from app.imports.corrections.columns import build_columns, leave_out
from app.imports.corrections.correction import Correction
from app.imports.corrections.rows import CorrectedRows, write_corrected
from app.imports.examine import Upload
from app.imports.intake import Submission, submit
from app.imports.plan import load_options, load_plan
from app.imports.submissions.rerun import build_rerun
from app.imports.submissions.retry import ensure_retriable, narrow_options
from app.runs.model import Relation, Run
from app.runs.states import State
from app.runtime import Runtime

NOTHING_WRITTEN = (
    "Nothing of this import was written, so its failed rows alone would not complete it. Correct the file and import "
    "all of it"
)
NO_ROW = "No failed row has what is to be corrected. `GET /imports/{id}/failed-values` lists the bad values"


async def submit_corrected(
    runtime: Runtime,
    parent: Run,
    corrections: Sequence[Correction],
    *,
    name: str | None = None,
    sender: Identity,
    request_id: str,
) -> Run:
    """Raises Refused: import_not_ended, nothing_to_retry, invalid (what cannot be corrected, or is nowhere wrong), gone
    (the file), not_found, queue_full."""
    ensure_correctable(parent)
    plan = load_plan(parent)
    async with runtime.database.read() as session:
        resource, _ = await load_resource(session, parent.account_id, parent.type)
    columns = await asyncio.to_thread(build_columns, plan, resource, corrections)
    writer = await asyncio.to_thread(runtime.blobs.create)
    try:
        rows = CorrectedRows(plan, columns, writer)
        await write_corrected(runtime, parent, rows)
        if not rows.rows:
            raise Refused("invalid", NO_ROW, [Complaint("corrections", NO_ROW)])
        sha256, encoding = rows.digest.hexdigest(), plan.dialect.encoding
        upload = Upload(writer, parent.file_name, writer.size, sha256, encoding, rows.dialect)
        submission = build_rerun(parent, upload, name=name, sender=sender, request_id=request_id)
        return await submit(runtime, adapt(submission, parent, corrections, dropped=bool(rows.dropped)))
    finally:
        writer.abort()


def ensure_correctable(parent: Run) -> None:
    """Raises Refused: import_not_ended, nothing_to_retry."""
    ensure_retriable(parent)
    if load_options(parent).is_staged and parent.state is not State.FINISHED:
        raise Refused("nothing_to_retry", NOTHING_WRITTEN)


def adapt(submission: Submission, parent: Run, corrections: Sequence[Correction], *, dropped: bool) -> Submission:
    """The file is read exactly as the parent's was, and replaces nothing: it has few of the rows."""
    plan = load_plan(parent)
    read = replace(submission.read, format=plan.dialect.format, delimiter=plan.dialect.delimiter)
    return replace(
        submission,
        read=read,
        mapping=leave_out(submission.mapping, plan, corrections),
        options=narrow_options(submission.options),
        relation=Relation.CORRECTION,
        same_columns=not dropped,
    )
