"""Imports from a connection: of one file, or of all files that match a pattern."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from app.connections.connection import load_connection
from app.connections.pull import Pull
from app.imports.intake import submit_each
from app.imports.sources.pattern import find_files
from app.imports.submissions.from_connection import build_submission, read_wanted, refuse_missing_coupon_set
from app.mappings.declaring.requested import fill_options
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.imports import StartedImports
from app.web.admission import admit_import
from app.web.bodies.json_body import read_json_object
from app.web.bodies.mapping_choice import MappingChooser
from app.web.caller import MayReadConnections, MayWriteImports, OpenRuntime, ensure_may_replace
from app.web.declared.connection_imports import CONNECTION_IMPORT_BODY, ConnectionImportBody
from app.web.once.route import once
from app.web.refusals import refusals
from app.web.requests import request_id
from app.web.surface import parse_shape

router = build_router("/connections/{connection_id}", "connections")


async def render_started(request: Request, _: Runtime, __: ReadSession, runs: Sequence[Run]) -> Response:
    """`request.state.matched` has the scheme of the connection and the files that match."""
    scheme, files = request.state.matched
    return Response(translate.started_imports(scheme, files, runs).encoded(), 201, media_type=translate.JSON)


@router.post(
    "/imports",
    status_code=201,
    response_model=StartedImports,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=CONNECTION_IMPORT_BODY,
)
@once(render_started)
async def import_from_connection(
    request: Request,
    connection_id: str,
    caller: MayWriteImports,
    _: MayReadConnections,
    runtime: OpenRuntime,
    dry_run: Annotated[bool | None, Query(alias="dryRun", description="The same as the member `dryRun`")] = None,
) -> Response:
    """Start an import of one file, or of each file that matches a pattern (`/in/*.csv`), oldest first.

    At most 10 imports of an account wait at a time. Files that found no room are counted as `left`: once there is room
    again, send `next` as `after` to go on with them.
    """
    async with admit_import(runtime, caller):
        async with runtime.database.read() as session:
            connection = await load_connection(session, runtime.vault, caller.account_id, connection_id)
        chooser = MappingChooser(runtime, caller)
        sent = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
        given = await chooser.fill_type(sent if dry_run is None else {**sent, "dryRun": dry_run})
        mapping = await chooser.choose(given)
        body = parse_shape(ConnectionImportBody, fill_options(given, mapping))
        pull, after = Pull(connection.remote(), body.path, connection.id), translate.decode_file_cursor(body.after)
        submission = build_submission(
            caller.account_id,
            read_wanted(body.model_dump(by_alias=True, exclude_unset=True), mapping),
            pull,
            mapping,
            sender=caller.identity,
            request=request_id(request),
        )
        ensure_may_replace(caller, replaces=submission.options.removes)
        await refuse_missing_coupon_set(runtime, submission)
        files = await find_files(runtime, caller.account_id, pull, after=after)
        request.state.matched = pull.remote.scheme, files
        runs = await submit_each(runtime, submission, files)
    async with runtime.database.read() as session:
        return await render_started(request, runtime, session, runs)
