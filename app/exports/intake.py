"""Accepts an export: turns what a caller wants into a queued run, or refuses it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from app.auth.identity import Identity, ensure_live, keep_answer
from app.connections.pull import Pull
from app.connections.target import PathValues
from app.declarations.types import load_resource
from app.deliveries.outbox import accept_notice
from app.deliveries.webhooks.stored import ensure_webhook
from app.errors import Complaint, Refused, describe, shorten_name
from app.exports.destinations import WantedDestination, build_columns, load_wanted, resolve_destinations
from app.exports.filters import build_filter, read_filter
from app.exports.layout import FileOptions, Selected, build_file_name, load_selected
from app.exports.order import find_mapping
from app.formats.decode import normalize_encoding
from app.mappings.declaring.declaration import parse_mapping
from app.mappings.declaring.fitting import fit_requested
from app.mappings.delimiters import parse_delimiter
from app.mappings.mapping import DEFAULT, INLINE
from app.mappings.mapping import Mapping as ColumnMapping
from app.mappings.templates.stored import mark_used
from app.runs.acceptance import accept_run, announce_run
from app.runs.kinds import Kind, Step
from app.runs.model import AccountId, Relation, Run, RunId, new_run_id
from app.runs.summary import add_warnings
from app.runtime import Runtime
from app.storage import records, runs
from app.storage.database import ReadSession, Session
from app.storage.exports.selection import Filter

TEMPLATE_GONE: Final = (
    "The mapping template of this export does not exist any more, so it cannot run again. Start a new export"
)
FILE_MEMBERS: Final = ("format", "delimiter", "encoding", "gzip", "formulas")  # of a request
SHARED: Final = ("format", "delimiter", "encoding")  # options of a mapping that an export has, too


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What a caller wants exported."""

    account_id: AccountId
    origin: str  # the surface that takes it
    type: str
    file: Mapping[str, Any] = field(default_factory=dict)  # those of FileOptions that the caller has set
    selected: Selected = field(default_factory=Selected)
    filter: Mapping[str, Any] = field(default_factory=dict)  # as app.exports.filters reads it; else that of `selected`
    asked: Mapping[str, Any] = field(default_factory=dict)  # the filter as it was sent, for answers
    destinations: Sequence[WantedDestination] = ()
    name: str | None = None  # what people call it
    notify: str | None = None  # the e-mail address to notify when the export has ended
    webhook_id: str | None = None  # of the webhook that is told when the export has ended
    request_id: str = ""
    sender: Identity | None = None
    started_by: str | None = None  # the id of what has started it, if no caller did
    parent_id: str | None = None  # the export that this one runs again

    @property
    def created_by(self) -> str | None:
        return self.started_by if self.sender is None else self.sender.id


def read_request(
    account_id: AccountId,
    members: Mapping[str, Any],
    *,
    sender: Identity | None = None,
    started_by: str | None = None,
    request_id: str = "",
) -> ExportRequest:
    """`members` are those of `POST /exports` as JSON. Raises Refused("invalid")."""
    return ExportRequest(
        account_id=account_id,
        origin="native",
        type=members["type"],
        name=members.get("name"),
        notify=members.get("confirmEmail"),
        webhook_id=members.get("webhookId"),
        file={name: members[name] for name in FILE_MEMBERS if name in members},
        selected=read_selected(members),
        filter=read_filter(members.get("filter") or {}),
        asked=members.get("filter") or {},
        destinations=[
            WantedDestination(each["connectionId"], each["path"]) for each in members.get("destinations") or ()
        ],
        request_id=request_id,
        sender=sender,
        started_by=started_by,
    )


def read_selected(members: Mapping[str, Any]) -> Selected:
    """Raises Refused("invalid")."""
    mapping = members.get("mapping")
    if mapping is None:
        return Selected(members.get("mappingId", DEFAULT))
    if "mappingId" in members:
        reason = "Send either `mappingId` or `mapping`, not both"
        raise Refused("invalid", reason, [Complaint("mapping", reason)])
    return Selected(INLINE, parse_mapping(mapping, prefix="mapping."))


def repeat_export(parent: Run, *, name: str | None, sender: Identity, request_id: str) -> ExportRequest:
    """The same as the parent. A stored mapping is read again, and so are connections. Without a `name` it is called as
    the parent is."""
    return ExportRequest(
        account_id=parent.account_id,
        origin=parent.origin,
        type=parent.type,
        file=parent.options["file"],
        selected=load_selected(parent),
        asked=parent.options.get("filter", {}),
        destinations=load_wanted(parent),
        name=name or parent.name,
        notify=parent.notify,
        webhook_id=parent.webhook_id,
        request_id=request_id,
        sender=sender,
        parent_id=parent.id,
    )


@dataclass(frozen=True, slots=True)
class Settled:
    """What of a request is settled when it is accepted."""

    mapping: ColumnMapping
    filter: Filter
    complaints: Sequence[Complaint]  # about both


async def submit_export(runtime: Runtime, wanted: ExportRequest) -> Run:
    """Accepts an export. Raises Refused: invalid (an unknown type, destinations), secrets_locked, queue_full,
    not_authenticated."""
    async with runtime.database.transaction() as session:
        run = await store_export(session, runtime, wanted)
        await keep_answer(session, wanted.sender, [run])
    return await announce_run(runtime, run)


async def store_export(session: Session, runtime: Runtime, wanted: ExportRequest) -> Run:
    """Stores an export, as `submit_export` does, within a transaction. Announce the run after the commit."""
    if wanted.sender is not None:
        await ensure_live(session, wanted.sender)
    if wanted.parent_id is not None and not await runs.hold(session, wanted.parent_id):
        raise Refused("not_found", "The export that was to run again has been deleted meanwhile")
    if wanted.sender is not None and wanted.parent_id is None:
        await ensure_webhook(session, wanted.account_id, wanted.webhook_id)
    values = await build_values(session, runtime, wanted)
    run = await accept_run(session, runtime, wanted.account_id, Kind.EXPORT, Step.WRITE, values)
    await mark_used(session, wanted.account_id, wanted.selected.mapping_id)
    return run


async def check_export(runtime: Runtime, wanted: ExportRequest) -> None:
    """Raises what an export would be refused for, before there is one to start. No server is called."""
    async with runtime.database.read() as session:
        await ensure_webhook(session, wanted.account_id, wanted.webhook_id)
        await build_values(session, runtime, wanted)


async def build_values(session: ReadSession, runtime: Runtime, wanted: ExportRequest) -> dict[str, object]:
    """The columns of the run. Raises Refused: invalid, secrets_locked."""
    settled, run_id = await settle(session, wanted), new_run_id()
    destinations = await build_destinations(session, runtime, run_id, wanted, settled.complaints)
    file = settle_file(wanted.file, settled.mapping)
    values: dict[str, object] = {
        "id": run_id,
        "name": wanted.name,
        "notify": wanted.notify,
        "webhook_id": wanted.webhook_id,
        "warnings": warn_of_notice(runtime, wanted.notify),
        "type": wanted.type,
        "origin": wanted.origin,
        "request_id": wanted.request_id,
        "parent_id": wanted.parent_id,
        "relation": Relation.RERUN if wanted.parent_id else None,
        "created_by": wanted.created_by,
        "options": {
            "file": msgspec.to_builtins(file),
            "select": msgspec.to_builtins(replace(wanted.selected, filter=settled.filter)),
            "filter": dict(wanted.asked),
            "mappingId": wanted.selected.mapping_id,
            "destinations": msgspec.to_builtins(wanted.destinations),
        },
        "plan": {},
        "file_name": build_file_name(wanted.type, run_id, file),
        "file_bytes": 0,
        "file_sha256": "",
    }
    return {**values, **destinations}


def warn_of_notice(runtime: Runtime, address: str | None) -> list[dict[str, object]]:
    """In the shape of `runs.warnings`. Raises Refused("invalid") if no mail may go to the address."""
    warnings: list[dict[str, object]] = []
    add_warnings(warnings, accept_notice(runtime, Kind.EXPORT, address))
    return warnings


async def settle(session: ReadSession, wanted: ExportRequest) -> Settled:
    """The mapping as it is now, and the filter, with what is wrong with them. Raises Refused("invalid") for an unknown
    type."""
    try:
        resource, _ = await load_resource(session, wanted.account_id, shorten_name(wanted.type))
    except Refused as unknown:
        raise Refused("invalid", unknown.detail, [Complaint("type", unknown.detail)]) from None
    complaints: list[Complaint] = []
    mapping, chosen = ColumnMapping(), wanted.selected.filter
    try:
        found = await find_wanted_mapping(session, wanted)
        mapping = await asyncio.to_thread(fit_requested, found, resource)
    except Refused as refused:
        complaints += refused.complaints
    try:
        if wanted.filter:
            chosen = await asyncio.to_thread(build_filter, wanted.filter, resource)
            await refuse_unknown_import(session, wanted.account_id, chosen.import_id)
    except Refused as refused:
        complaints += refused.complaints
    return Settled(mapping, chosen, complaints)


async def refuse_unknown_import(session: ReadSession, account_id: AccountId, import_id: str | None) -> None:
    """Raises Refused("invalid"). An import that was pruned is known."""
    if import_id is not None and await runs.get(session, account_id, import_id, whole=False) is None:
        reason = "`filter.importId` must be the id of an import, and there is none with this id"
        raise Refused("invalid", reason, [Complaint("filter.importId", reason)])


async def find_wanted_mapping(session: ReadSession, wanted: ExportRequest) -> ColumnMapping:
    """Raises Refused("invalid") if there is no such template; of an export that runs again, it was deleted."""
    try:
        return await find_mapping(session, wanted.account_id, wanted.type, wanted.selected)
    except Refused:
        if wanted.parent_id is None:
            raise
        raise Refused("invalid", TEMPLATE_GONE, [Complaint("mappingId", TEMPLATE_GONE)]) from None


def settle_file(given: Mapping[str, Any], mapping: ColumnMapping) -> FileOptions:
    """How the file is written: as the caller says, else as files are read that the mapping is for."""
    settled: dict[str, Any] = {name: mapping.options[name] for name in SHARED if name in mapping.options}
    if "delimiter" in settled:
        delimiter = parse_delimiter(settled["delimiter"])
        settled["delimiter"] = "," if delimiter in (None, "auto") else delimiter
    if "encoding" in settled:
        settled["encoding"] = normalize_encoding(settled["encoding"])
    return FileOptions(**settled | dict(given))


async def build_destinations(
    session: ReadSession, runtime: Runtime, run_id: RunId, wanted: ExportRequest, complaints: Sequence[Complaint]
) -> Mapping[str, object]:
    """The columns that the destinations fill; none where there are none. `complaints` are those about the rest of the
    request. Raises Refused: secrets_locked, invalid (names every mistake)."""
    pulls: Sequence[Pull] = ()
    try:
        if wanted.destinations:
            values = PathValues(await records.now(session), wanted.type, wanted.name, run_id)
            pulls = await resolve_destinations(session, runtime, wanted.account_id, wanted.destinations, values)
    except Refused as refused:
        if refused.code != "invalid":
            raise
        complaints = [*complaints, *refused.complaints]
    if complaints:
        raise Refused("invalid", describe(complaints[:10]), complaints)
    if not pulls:
        return {}
    return build_columns(runtime, run_id, wanted.destinations, pulls)
