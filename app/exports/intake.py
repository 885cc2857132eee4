"""Accepts an export: turns what a caller wants into a queued run, or refuses it."""

from dataclasses import dataclass, field

import msgspec

from app.auth.identity import Identity, ensure_live
from app.declarations.types import ensure_type
from app.errors import Complaint, Refused, shorten_name
from app.exports.layout import FileOptions, build_file_name
from app.observe.events import RunAccepted
from app.runs.acceptance import accept_run, enqueue_run
from app.runs.kinds import Kind, Step
from app.runs.model import AccountId, Run, new_run_id
from app.runtime import Runtime
from app.storage.database import Session


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What a caller wants exported."""

    account_id: AccountId
    origin: str  # the surface that takes it
    type: str
    file: FileOptions = field(default_factory=FileOptions)
    name: str | None = None  # what people call it
    request_id: str = ""
    sender: Identity | None = None


async def submit_export(runtime: Runtime, wanted: ExportRequest) -> Run:
    """Accepts an export. Raises Refused: invalid (an unknown type), queue_full, not_authenticated."""
    async with runtime.database.transaction() as session:
        if wanted.sender is not None:
            await ensure_live(session, wanted.sender)
        await require_type(session, wanted)
        run_id = new_run_id()
        values = {
            "id": run_id,
            "name": wanted.name,
            "type": wanted.type,
            "origin": wanted.origin,
            "request_id": wanted.request_id,
            "created_by": wanted.sender.key_id if wanted.sender else None,
            "options": {"file": msgspec.to_builtins(wanted.file)},
            "plan": {},
            "file_name": build_file_name(wanted.type, run_id, wanted.file),
            "file_bytes": 0,
            "file_sha256": "",
        }
        run = await accept_run(session, runtime, wanted.account_id, Kind.EXPORT, Step.WRITE, values)
    runtime.observe(RunAccepted(run.id, run.account_id, run.type, run.origin, run.file_bytes, run.total))
    await enqueue_run(runtime, run.id, run.kind, run.step, run.attempt)
    return run


async def require_type(session: Session, wanted: ExportRequest) -> None:
    """Raises Refused("invalid")."""
    try:
        await ensure_type(session, wanted.account_id, shorten_name(wanted.type))
    except Refused as unknown:
        raise Refused("invalid", unknown.detail, [Complaint("type", unknown.detail)]) from None
