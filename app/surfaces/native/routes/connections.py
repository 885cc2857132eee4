"""Connections: sources and destinations that an account stores by name, and tries out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.connections.declaration import Declared, bound_to, declared, new_connection_id, pinned, remote_of
from app.connections.stored import connection_of, opened
from app.connections.trial import Trial, try_export, try_import
from app.errors import Complaint, Refused
from app.runtime import Runtime
from app.storage.access import connections
from app.surfaces.native import translate, wire
from app.transports.transport import Remote, Terms
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadConnections, MayWriteConnections, OpenRuntime
from app.web.openapi import operation_id
from app.web.refusals import refusals

Try = Callable[[Remote, str, Terms], Awaitable[Trial]]
router = APIRouter(prefix="/connections", tags=["connections"], generate_unique_id_function=operation_id)


@router.get("", response_model=wire.ConnectionList, responses=refusals(401, 403, 503))
@router.get("/", include_in_schema=False)
async def list_connections(caller: MayReadConnections, runtime: OpenRuntime) -> Response:
    """List the account's connections, by name. Secrets are never shown, only which of them are set."""
    async with runtime.database.read() as session:
        rows = await connections.all_of(session, caller.account_id)
    shown = [translate.connection(row, opened(runtime, row)) for row in rows]
    return Response(wire.ConnectionList(links=wire.Links(), results=shown).encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=wire.Connection,
    responses=refusals(400, 401, 403, 409, 413, 422, 503),
    openapi_extra=wire.CONNECTION_BODY,
)
@router.post("/", include_in_schema=False)
async def create_connection(request: Request, caller: MayWriteConnections, runtime: OpenRuntime) -> Response:
    """Store a source or a destination. Nothing is dialled; `POST /connections/{id}/test-import` tries it out."""
    wanted = declared(await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    connection_id = new_connection_id()
    values = {
        "id": connection_id,
        "account_id": caller.account_id,
        "name": wanted.name,
        "settings": dict(wanted.settings),
        "secret": runtime.vault.seal(wanted.secrets, bound_to=bound_to(caller.account_id, connection_id)),
    }
    async with runtime.database.transaction() as session:
        await connections.alone(session, caller.account_id)
        row = await connections.add(session, values)
    if row is None:
        raise taken(wanted.name)
    return answer(row, wanted, 201)


def taken(name: str) -> Refused:
    told = f"There is a connection named {name!r} already"
    return Refused("name_taken", told, [Complaint("name", told)])


def answer(row: Mapping[Any, Any], connection: Declared, status: int = 200) -> Response:
    return Response(translate.connection(row, connection).encoded(), status, media_type=translate.JSON)


@router.get("/{connection_id}", response_model=wire.Connection, responses=refusals(401, 403, 404, 503))
@router.get("/{connection_id}/", include_in_schema=False)
async def get_connection(connection_id: str, caller: MayReadConnections, runtime: OpenRuntime) -> Response:
    """Read a connection, without its secrets."""
    async with runtime.database.read() as session:
        row, connection = await connection_of(session, runtime, caller.account_id, connection_id)
    return answer(row, connection)


@router.put(
    "/{connection_id}",
    response_model=wire.Connection,
    responses=refusals(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=wire.CONNECTION_BODY,
)
@router.put("/{connection_id}/", include_in_schema=False)
async def put_connection(
    request: Request, connection_id: str, caller: MayWriteConnections, runtime: OpenRuntime
) -> Response:
    """Change a connection. Secrets that are left out stay, unless the server is another one: then send them again."""
    async with runtime.database.read() as session:
        await connection_of(session, runtime, caller.account_id, connection_id)
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    async with runtime.database.transaction() as session:
        await connections.alone(session, caller.account_id)
        _, before = await connection_of(session, runtime, caller.account_id, connection_id)
        wanted = declared(body, before)
        if await connections.named(session, caller.account_id, wanted.name) not in (None, connection_id):
            raise taken(wanted.name)
        sealed = runtime.vault.seal(wanted.secrets, bound_to=bound_to(caller.account_id, connection_id))
        values = {"name": wanted.name, "settings": dict(wanted.settings), "secret": sealed}
        row = await connections.change(session, caller.account_id, connection_id, values)
    assert row is not None  # noqa: S101  read in the same transaction
    return answer(row, wanted)


@router.delete("/{connection_id}", status_code=204, responses=refusals(401, 403, 404, 503))
@router.delete("/{connection_id}/", include_in_schema=False)
async def delete_connection(connection_id: str, caller: MayWriteConnections, runtime: OpenRuntime) -> Response:
    """Delete a connection. Imports that were started with it go on."""
    async with runtime.database.transaction() as session:
        await connections.alone(session, caller.account_id)
        if not await connections.remove(session, caller.account_id, connection_id):
            raise Refused("not_found", "There is no connection with this id")
    return Response(status_code=204)


@router.post(
    "/{connection_id}/test-import",
    response_model=wire.Trial,
    responses=refusals(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=wire.TRIAL_BODY,
)
@router.post("/{connection_id}/test-import/", include_in_schema=False)
async def test_import(
    request: Request, connection_id: str, caller: MayWriteConnections, runtime: OpenRuntime
) -> Response:
    """Try whether a file could be imported: connect, find it, read its beginning. Nothing is changed anywhere."""
    return await tried(request, connection_id, caller, runtime, try_import)


@router.post(
    "/{connection_id}/test-export",
    response_model=wire.Trial,
    responses=refusals(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=wire.TRIAL_BODY,
)
@router.post("/{connection_id}/test-export/", include_in_schema=False)
async def test_export(
    request: Request, connection_id: str, caller: MayWriteConnections, runtime: OpenRuntime
) -> Response:
    """Try whether a file could be delivered to a folder: write a small one, read it back, delete it."""
    return await tried(request, connection_id, caller, runtime, try_export)


async def tried(request: Request, connection_id: str, caller: Caller, runtime: Runtime, how: Try) -> Response:
    """The answer; a host key that is to be trusted at its first sight is pinned by a trial that succeeded."""
    async with runtime.database.read() as session:
        _, connection = await connection_of(session, runtime, caller.account_id, connection_id)
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    trial = await how(remote_of(connection), path_in(body, required=how is try_import), runtime.terms)
    settings = pinned(connection, trial.host_key) if trial.ok else None
    if settings is not None:
        async with runtime.database.transaction() as session:
            await connections.pin(session, caller.account_id, connection_id, connection.settings, settings)
    return Response(translate.trial(trial).encoded(), media_type=translate.JSON)


def path_in(body: Mapping[str, object], *, required: bool) -> str:
    path = "" if body.get("path") is None else body["path"]
    if isinstance(path, str) and (path or not required):
        return path
    reason = "is required" if path == "" else "must be a text"
    raise Refused("invalid", f"path: {reason}", [Complaint("path", reason)])
