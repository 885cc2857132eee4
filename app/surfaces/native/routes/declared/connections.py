"""Connections: the sources and destinations that an account stores by name, and tests of them."""

from fastapi import Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.connections import connection as stored
from app.connections.check import check_connection
from app.connections.connection import StoredConnection
from app.connections.outcome import Purpose
from app.runtime import Runtime
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.declared.connections import (
    CONNECTION_BODY,
    CONNECTION_TEST_BODY,
    Connection,
    ConnectionList,
    ConnectionTest,
)
from app.surfaces.native.wire.shape import Links
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadConnections, MayWriteConnections, OpenRuntime, write_as
from app.web.refusals import refusals

router = build_router("/connections", "connections")


@router.get("", response_model=ConnectionList, responses=refusals(401, 403, 503))
async def list_connections(caller: MayReadConnections, runtime: OpenRuntime) -> Response:
    """List the account's connections, ordered by name. Secrets are never shown, only which of them are set."""
    async with runtime.database.read() as session:
        connections = await stored.list_connections(session, runtime.vault, caller.account_id)
    results = [translate.connection(each) for each in connections]
    return Response(ConnectionList(links=Links(), results=results).encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=Connection,
    responses=refusals(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=CONNECTION_BODY,
)
async def create_connection(request: Request, caller: MayWriteConnections, runtime: OpenRuntime) -> Response:
    """Store a source or a destination. No server is called; use `POST /connections/{id}/test-import` to test it."""
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    async with write_as(caller, runtime) as session:
        created = await stored.create_connection(session, runtime.vault, caller.account_id, body)
    return answer(created, 201)


def answer(connection: StoredConnection, status: int = 200) -> Response:
    return Response(translate.connection(connection).encoded(), status, media_type=translate.JSON)


@router.get("/{connection_id}", response_model=Connection, responses=refusals(401, 403, 404, 503))
async def get_connection(connection_id: str, caller: MayReadConnections, runtime: OpenRuntime) -> Response:
    """Read a connection, without its secrets, and by what it is used."""
    async with runtime.database.read() as session:
        connection = await stored.load_connection(session, runtime.vault, caller.account_id, connection_id)
        uses = await stored.list_uses(session, caller.account_id, connection_id)
    return Response(translate.connection(connection, uses).encoded(), media_type=translate.JSON)


async def load(runtime: Runtime, caller: Caller, connection_id: str) -> StoredConnection:
    async with runtime.database.read() as session:
        return await stored.load_connection(session, runtime.vault, caller.account_id, connection_id)


@router.put(
    "/{connection_id}",
    response_model=Connection,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=CONNECTION_BODY,
)
async def put_connection(
    request: Request, connection_id: str, caller: MayWriteConnections, runtime: OpenRuntime
) -> Response:
    """Replace a connection. Secrets that are left out are kept, unless the server changes: then send them again."""
    await load(runtime, caller, connection_id)  # what is not there is refused before the body is read
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    async with write_as(caller, runtime) as session:
        replaced = await stored.replace_connection(session, runtime.vault, caller.account_id, connection_id, body)
    return answer(replaced)


@router.delete("/{connection_id}", status_code=204, responses=refusals(401, 403, 404, 503))
async def delete_connection(connection_id: str, caller: MayWriteConnections, runtime: OpenRuntime) -> Response:
    """Delete a connection. Imports that were started with it go on."""
    async with write_as(caller, runtime) as session:
        await stored.delete_connection(session, caller.account_id, connection_id)
    return Response(status_code=204)


@router.post(
    "/{connection_id}/test-import",
    response_model=ConnectionTest,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=CONNECTION_TEST_BODY,
)
async def test_import(
    request: Request, connection_id: str, caller: MayWriteConnections, runtime: OpenRuntime
) -> Response:
    """Test whether a file can be imported: connect, find it, read its beginning.

    Nothing is changed on either side, and the login needs no right but to read. Without a `path` any file will do."""
    return await run_test(request, connection_id, caller, runtime, "import")


@router.post(
    "/{connection_id}/test-export",
    response_model=ConnectionTest,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=CONNECTION_TEST_BODY,
)
async def test_export(
    request: Request, connection_id: str, caller: MayWriteConnections, runtime: OpenRuntime
) -> Response:
    """Test whether a file can be delivered to a folder: write a small one, `sluice-test.txt`, and delete it.

    The login needs no right but to write. If it may not delete, the file is left there, and the step `delete` says
    so."""
    return await run_test(request, connection_id, caller, runtime, "export")


async def run_test(
    request: Request, connection_id: str, caller: Caller, runtime: Runtime, purpose: Purpose
) -> Response:
    connection = await load(runtime, caller, connection_id)
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    path, account_id = body.get("path"), caller.account_id
    check = await check_connection(runtime, account_id, connection, purpose, path, sender=caller.identity)
    return Response(translate.connection_test(check).encoded(), media_type=translate.JSON)
