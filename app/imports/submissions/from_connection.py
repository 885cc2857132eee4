"""Imports from a stored connection: of one file, or of each that matches a pattern, now or by the clock."""

import asyncio
import json
from collections.abc import Mapping as Members
from typing import Any, Literal

import msgspec

from app.auth.identity import Identity
from app.connections.connection import load_connection
from app.connections.pull import Pull, check_path_or_pattern
from app.deliveries.outbox import accept_notice
from app.deliveries.webhooks.stored import ensure_webhook
from app.errors import Complaint, Refused, describe
from app.imports.examine import Upload
from app.imports.intake import Submission, check_pull, find_missing
from app.imports.plan import (
    BlankCells,
    Duplicates,
    IfSameFile,
    OnError,
    Options,
    ReadOptions,
    find_contradictions,
)
from app.imports.sources.pattern import refuse_path
from app.mappings.declaring.requested import DEFAULT_MAPPING, build_mapping, choice_from, fill_options
from app.mappings.delimiters import parse_delimiter
from app.mappings.mapping import Mapping
from app.mappings.templates.stored import load_mapping
from app.resources.conversion import BadCell
from app.resources.email import convert_email
from app.runs.holding.brakes import BRAKES, Brakes, collect_brakes
from app.runs.kinds import Kind
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.storage.json_columns import compile_reader
from app.transports.failed import TransportFailed


class ConnectionImport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is wanted, with the members of `POST /connections/{id}/imports`, which has checked them. Those that choose
    the mapping are read by `find_mapping`."""

    path: str
    type: str
    name: str | None = None
    format: str | None = None
    delimiter: str = "auto"
    encoding: str | None = None
    sheet: str | None = None
    override_existing: bool = True
    update_only_empty_fields: bool = False
    mode: Literal["write", "delete"] = "write"
    replace: bool = False
    dry_run: bool = False
    on_error: OnError = "continue"
    blank_cells: BlankCells = "keep"
    null_marker: str | None = None
    duplicates: Duplicates = "last"
    unknown_columns: Literal["ignore", "keep", "error"] | None = None
    if_same_file: IfSameFile = "allow"
    undoable: bool = True
    confirm_email: str | None = None
    webhook_id: str | None = None
    brakes: Brakes | None = None

    @property
    def removes(self) -> bool:
        """Whether it may remove records."""
        return self.replace or self.mode == "delete"


convert_members = compile_reader(ConnectionImport)


async def find_mapping(session: ReadSession, account_id: AccountId, members: Members[str, Any]) -> Mapping | None:
    """The mapping that the members choose, as it is now; None if they choose none. Raises Refused("invalid")."""
    choice = choice_from(members, str(members.get("type") or ""))
    if choice.names_template:
        return await load_mapping(session, account_id, str(choice.id), choice.type)
    return await asyncio.to_thread(build_mapping, choice)


def read_wanted(members: Members[str, Any], mapping: Mapping | None) -> ConnectionImport:
    """The members, and where they do not set an option, that of the mapping."""
    filled = fill_options(members, mapping)
    if filled.get("delimiter"):
        filled["delimiter"] = parse_delimiter(filled["delimiter"])  # a mapping may have a word for it
    limits = {name: filled[brake.name] for name, brake in BRAKES.items() if filled.get(brake.name) is not None}
    parsed = {name: BRAKES[name].parse(limit) for name, limit in limits.items()}
    return msgspec.structs.replace(convert_members(filled), brakes=collect_brakes(parsed))


def build_submission(
    account_id: AccountId,
    wanted: ConnectionImport,
    file: Upload | Pull,
    mapping: Mapping | None,
    *,
    sender: Identity | None = None,
    started_by: str | None = None,
    request: str = "",
) -> Submission:
    """`request` is the id of the request, if there was one. Raises Refused("invalid")."""
    if wanted.confirm_email is not None and isinstance(convert_email(wanted.confirm_email), BadCell):
        complaint = Complaint("confirmEmail", "`confirmEmail` must be an e-mail address")
        raise Refused("invalid", complaint.reason, [complaint])
    return Submission(
        account_id=account_id,
        sender=sender,
        started_by=started_by,
        origin="native",
        type=wanted.type,
        file=file,
        read=ReadOptions(wanted.format, wanted.delimiter, wanted.encoding, wanted.sheet),
        mapping=mapping or DEFAULT_MAPPING,
        options=build_options(wanted),
        name=wanted.name,
        notify=wanted.confirm_email,
        webhook_id=wanted.webhook_id,
        request_id=request,
    )


def build_options(wanted: ConnectionImport) -> Options:
    """Raises Refused("invalid") for options that cannot go together."""
    options = Options(
        override_existing=wanted.override_existing,
        only_empty=wanted.update_only_empty_fields,
        replace=wanted.replace,
        deletes=wanted.mode == "delete",
        dry_run=wanted.dry_run,
        on_error=wanted.on_error,
        brakes=wanted.brakes,
        blank_cells=wanted.blank_cells,
        null_marker=wanted.null_marker,
        duplicates=wanted.duplicates,
        unknown_columns=wanted.unknown_columns,
        if_same_file=wanted.if_same_file,
        undoable=wanted.undoable,
    )
    if complaints := list(find_contradictions(options)):
        raise Refused("invalid", describe(complaints), complaints)
    return options


async def load_submission(
    runtime: Runtime, account_id: AccountId, connection_id: str, members: Members[str, Any], *, started_by: str
) -> Submission:
    """What somebody has stored to be imported again and again, with connection and mapping as they are now.

    Raises Refused: not_found (the connection), secrets_locked, invalid.
    """
    async with runtime.database.read() as session:
        connection = await load_connection(session, runtime.vault, account_id, connection_id)
        mapping = await find_mapping(session, account_id, members)
    wanted = read_wanted(members, mapping)
    pull = Pull(connection.remote(), wanted.path, connection.id)
    submission = build_submission(account_id, wanted, pull, mapping, started_by=started_by)
    await refuse_missing_coupon_set(runtime, submission)
    return submission


async def refuse_missing_coupon_set(runtime: Runtime, submission: Submission) -> None:
    """A coupon's set is a constant of the mapping here. Raises Refused("invalid")."""
    wanted = submission.mapping.constants.get("couponSetId")
    if wanted is None or submission.type != "coupons":
        return
    async with runtime.database.read() as session:
        found = await find_missing(session, submission.account_id, type="", coupon_set=str(json.loads(wanted)))
    if found:
        raise Refused("invalid", describe(found), found)


async def check_submission(runtime: Runtime, submission: Submission) -> None:
    """Raises what an import would be refused for, before there is one to start. No server is called."""
    assert isinstance(submission.file, Pull)  # noqa: S101  for the type only
    try:
        check_path_or_pattern(submission.file.remote.scheme, submission.file.path)
    except TransportFailed as wrong:
        raise refuse_path(wrong.detail) from None
    async with runtime.database.read() as session:
        missing = await find_missing(session, submission.account_id, type=submission.type, coupon_set=None)
        if not missing:
            await ensure_webhook(session, submission.account_id, submission.webhook_id)
    if missing:
        raise Refused("invalid", describe(missing), missing)
    await refuse_missing_coupon_set(runtime, submission)
    await check_pull(runtime, submission)
    accept_notice(runtime, Kind.IMPORT, submission.notify)
