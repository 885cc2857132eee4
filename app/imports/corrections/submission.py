"""Accepts an import of the rows of another that corrections are about, with the corrections made."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.auth.identity import Identity
from app.declarations.types import load_resource
from app.errors import Complaint, Refused
from app.imports.corrections.columns import build_columns, leave_out
from app.imports.corrections.correction import Correction
from app.imports.corrections.rows import CorrectedRows, find_dropped
from app.imports.intake import submit
from app.imports.plan import load_plan
from app.imports.submissions.retry import build_again, ensure_retriable, ensure_written, take_failed_rows
from app.runs.model import Relation, Run
from app.runtime import Runtime

NO_ROW: Final = "No failed row has what is to be corrected. `GET /imports/{id}/failed-values` lists the bad values"


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
    ensure_retriable(parent)
    ensure_written(parent)
    plan = load_plan(parent)
    async with runtime.database.read() as session:
        resource, _ = await load_resource(session, parent.account_id, parent.type)
    columns = await asyncio.to_thread(build_columns, plan, resource, corrections)
    edit = CorrectedRows(columns, find_dropped(plan, columns))
    again = await take_failed_rows(runtime, parent, edit)
    try:
        if not again.rows:
            raise Refused("invalid", NO_ROW, [Complaint("corrections", NO_ROW)])
        submission = build_again(parent, again, name=name, sender=sender, request_id=request_id)
        mapping = leave_out(submission.mapping, plan, corrections)
        relation, same = Relation.CORRECTION, not edit.dropped
        return await submit(runtime, replace(submission, mapping=mapping, relation=relation, same_columns=same))
    finally:
        again.upload.writer.abort()
