"""Schedules as callers declare them. What a schedule requests is checked as its route checks it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from app.auth.caller import Caller
from app.connections.connection import load_connection
from app.connections.pull import Pull
from app.errors import Complaint, Refused, describe
from app.exports.intake import check_export
from app.imports.submissions.from_connection import build_submission, check_submission, read_wanted
from app.mappings.declaring.requested import fill_options
from app.runs.kinds import KINDS, Kind
from app.runtime import Runtime
from app.schedules.cron import find_cron_mistakes, find_zone_mistakes
from app.schedules.schedule import Schedule, ScheduleKind
from app.schedules.stored import ScheduleDeclaration
from app.storage.database import ReadSession
from app.syncs.settings import Mode
from app.syncs.stored import load_sync
from app.web.bodies.mapping_choice import MappingChooser
from app.web.caller import ensure_may_replace, ensure_scope
from app.web.declared.connection_imports import ConnectionImportBody, ensure_may_let_go
from app.web.declared.exports import ExportBody, build_request, dump_body, ensure_may_export
from app.web.declared.item_syncs import ensure_may_sync, parse_run
from app.web.declared.nested import complaining_of, refuse
from app.web.declared.shape import RunName, SentShape, json_body
from app.web.surface import parse_shape

# What an answer adds to a schedule, so that an answer can be sent back as it is.
ADDED: Final = frozenset(
    ("id", "enabled", "nextRunAt", "nextRuns", "lastRunId", "lastRunStatus", "lastResult", "failures", "createdAt",
     "updatedAt")
)  # fmt: skip
# What a kind of run is started from -> the member that names it.
TARGETS: Final[Mapping[ScheduleKind, str]] = {"import": "connection_id", "sync": "sync_id"}
NO_AFTER: Final = "`request.after` is not a member of a schedule's request: each start takes all files that match"


class ScheduleBody(SentShape):
    name: RunName = Field(description="Unique among the schedules of the account")
    kind: Literal["import", "export", "sync"] = Field(description="What is started")
    connection_id: str | None = Field(
        default=None, max_length=100, description="For an import, required: the connection to import from"
    )
    sync_id: str | None = Field(
        default=None, max_length=100, description="For a sync, required: the item sync that is run"
    )
    request: dict[str, Any] = Field(
        default={},
        description="What is asked for: the body of POST /connections/{id}/imports without `after`, of POST /exports, "
        "or of POST /item-syncs/{id}/runs. It is checked as there. Templates and connections that it names count as "
        "they are at each start",
    )
    cron: str = Field(
        max_length=1_000,
        description="Five fields: minute, hour, day of the month, month, day of the week. `30 2 * * MON-FRI` is half "
        "past two on working days",
        examples=["30 2 * * MON-FRI"],
    )
    timezone: str = Field(default="UTC", max_length=100, description="Whose clock it is", examples=["Europe/Amsterdam"])


SCHEDULE_BODY: Final = json_body(
    ScheduleBody,
    {
        "name": "Contacts every night",
        "kind": "export",
        "request": {"type": "contacts"},
        "cron": "30 2 * * *",
        "timezone": "Europe/Amsterdam",
    },
)


async def declare_schedule(runtime: Runtime, caller: Caller, body: Mapping[str, object]) -> ScheduleDeclaration:
    """Raises Refused: not_allowed, secrets_locked, invalid (names every mistake)."""
    given = parse_shape(ScheduleBody, {member: value for member, value in body.items() if member not in ADDED})
    mistakes = list(check_target(given))
    complaints = [*mistakes, *find_cron_mistakes(given.cron), *find_zone_mistakes(given.timezone)]
    request: Mapping[str, Any] = {}
    try:
        request = {} if mistakes else await CHECKS[given.kind](runtime, caller, given)
    except Refused as refused:
        if refused.code != "invalid":
            raise
        complaints += refused.complaints
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
    return ScheduleDeclaration(
        name=given.name,
        kind=given.kind,
        target=find_target(given) if given.kind in TARGETS else None,
        request=request,
        cron=" ".join(given.cron.split()),
        timezone=given.timezone,
    )


def check_target(given: ScheduleBody) -> Iterator[Complaint]:
    """What is started has its own member, and not that of another kind."""
    for kind, member in TARGETS.items():
        wire, value = to_camel(member), getattr(given, member)
        if kind == given.kind and not value:
            yield Complaint(wire, f"`{wire}` is required for the kind {kind}")
        if kind != given.kind and value is not None:
            yield Complaint(wire, f"`{wire}` is for the kind {kind}, and not for {given.kind}")


def find_target(given: ScheduleBody) -> str:
    return str(getattr(given, TARGETS[given.kind]))


async def check_import(runtime: Runtime, caller: Caller, given: ScheduleBody) -> dict[str, Any]:
    """What is requested, without what a mapping template adds: it may add something else later."""
    ensure_scope(caller, "imports:write")
    ensure_scope(caller, "connections:read")
    try:
        async with runtime.database.read() as session:
            connection = await load_connection(session, runtime.vault, caller.account_id, find_target(given))
    except Refused as refused:
        raise refused if refused.code != "not_found" else refuse("connectionId", refused.detail) from None
    with complaining_of("request"):
        chooser = MappingChooser(runtime, caller)
        requested = await chooser.fill_type(given.request)
        mapping = await chooser.choose(requested)
        body = parse_shape(ConnectionImportBody, fill_options(requested, mapping))
        members = body.model_dump(by_alias=True, exclude_unset=True)
        pull = Pull(connection.remote(), body.path, connection.id)
        submission = build_submission(caller.account_id, read_wanted(members, mapping), pull, mapping)
        ensure_may_replace(caller, replaces=submission.options.removes)
        await check_submission(runtime, submission)
    if body.after is not None:
        raise refuse("request.after", NO_AFTER)
    added = {name for name in (mapping.options if mapping else {}) if given.request.get(name) in (None, "")}
    return {name: value for name, value in members.items() if name not in added}


async def check_requested_export(runtime: Runtime, caller: Caller, given: ScheduleBody) -> dict[str, Any]:
    ensure_scope(caller, "exports:write")
    with complaining_of("request"):
        body = parse_shape(ExportBody, given.request)
        ensure_may_export(caller, body.mapping_id, body.destinations)
        await check_export(runtime, build_request(caller, body, ""))
    return dump_body(body)


async def check_sync(runtime: Runtime, caller: Caller, given: ScheduleBody) -> dict[str, Any]:
    ensure_scope(caller, "syncs:write")
    try:
        async with runtime.database.read() as session:
            sync = await load_sync(session, caller.account_id, find_target(given))
    except Refused as refused:
        raise refuse("syncId", refused.detail) from None
    with complaining_of("request"):
        body = parse_run(caller, sync, dict(given.request))
    return body.model_dump(mode="json", by_alias=True, exclude_unset=True)


async def ensure_may_start(session: ReadSession, caller: Caller, schedule: Schedule) -> None:
    """Whether the caller may let go on what a schedule starts. Raises Refused("not_allowed")."""
    ensure_scope(caller, KINDS[Kind(schedule.kind)].write_scope)
    if schedule.kind == "import":
        await ensure_may_let_go(session, caller, schedule.request)
    if schedule.kind == "sync":
        ensure_may_sync(caller, schedule.request.get("mode") or await find_sync_mode(session, schedule))


async def find_sync_mode(session: ReadSession, schedule: Schedule) -> Mode:
    """Of an item sync that is gone, the mode that takes nothing: that it is gone is told when it is to be started."""
    try:
        sync = await load_sync(session, schedule.account_id, schedule.target or "")
    except Refused:
        return "incremental"
    return sync.declaration.settings.mode


Check = Callable[[Runtime, Caller, ScheduleBody], Awaitable[dict[str, Any]]]
CHECKS: Final[Mapping[ScheduleKind, Check]] = {
    "import": check_import,
    "export": check_requested_export,
    "sync": check_sync,
}
