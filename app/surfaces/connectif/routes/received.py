"""What a request that starts an import has sent: its body, its mapping, its connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Request

from app.auth.caller import Caller
from app.connections.connection import StoredConnection, load_connection
from app.errors import Complaint, Refused, join_choices
from app.imports.submissions.rerun import read_charset
from app.mappings.mapping import Mapping
from app.runs.model import Run
from app.runtime import Runtime
from app.surfaces.connectif import translate
from app.surfaces.connectif.routes.answers import JSON
from app.surfaces.connectif.wire.raw import OPTIONS
from app.web.bodies.json_body import read_json_object
from app.web.bodies.mapping_choice import MappingChooser
from app.web.bodies.multipart import is_form
from app.web.bodies.raw import MEDIA_TYPES, is_raw_file, receive_raw
from app.web.bodies.upload import Form, receive_form
from app.web.caller import (
    ensure_scope,
)

NO_BODY: Final = (
    "Send multipart/form-data with a `file`, application/json with a `source`, or the file itself as "
    f"{join_choices(MEDIA_TYPES)}"
)


@asynccontextmanager
async def receive_request(request: Request, runtime: Runtime, chooser: MappingChooser) -> AsyncIterator[Form]:
    """A form with a file, JSON that says where one is, or the file itself. Raises Refused as `receive_form` and
    `receive_raw` do."""
    if is_form(request):
        async with receive_form(request, runtime, chooser.find_encoding, workbooks=True) as form:
            yield form
    elif is_raw_file(request):  # before JSON: so does application/jsonl begin
        async with receive_raw(request, runtime, chooser.find_encoding, OPTIONS) as form:
            yield form
    elif request.headers.get("content-type", "").lower().startswith(JSON):
        yield translate.form_from_json(await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    else:
        raise Refused("unsupported_media_type", NO_BODY)


@asynccontextmanager
async def receive_again(request: Request, runtime: Runtime, parent: Run) -> AsyncIterator[Form]:
    """What imports something again: a form, JSON, or nothing. Raises Refused as `receive_form` does."""
    if is_form(request):
        async with receive_form(request, runtime, charset=read_charset(parent), workbooks=True) as form:
            yield form
    elif request.headers.get("content-type", JSON).lower().startswith(JSON):
        idle = runtime.settings.upload_idle_seconds
        yield translate.form_from_members(await read_json_object(request, idle=idle, optional=True))
    else:
        detail = "Send multipart/form-data with a `file`, or application/json, or nothing"
        raise Refused("unsupported_media_type", detail)


async def choose_mapping(form: Form, chooser: MappingChooser) -> tuple[Mapping | None, tuple[Complaint, ...]]:
    """The mapping that the form chooses, or what is wrong with it. Raises Refused("not_allowed")."""
    try:
        return await chooser.choose(form.parts), ()
    except Refused as wrong:
        if wrong.code != "invalid":
            raise
        return None, wrong.complaints


async def find_connection(runtime: Runtime, caller: Caller, connection_id: str) -> StoredConnection:
    """One of the account's connections. Raises Refused: not_allowed, invalid."""
    ensure_scope(caller, "connections:read")
    async with runtime.database.read() as session:
        try:
            return await load_connection(session, runtime.vault, caller.account_id, connection_id)
        except Refused as missing:
            raise translate.refuse((Complaint("connectionId", missing.detail),)) from None


def read_dry_run(request: Request) -> dict[str, str]:
    """`dryRun` as a part of the form. It may stand in the address, too: there it counts for any body."""
    return {name: value for name, value in request.query_params.items() if name == "dryRun"}
