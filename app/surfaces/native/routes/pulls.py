"""Imports of files that a connection has: one file, or all that fit a pattern."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.connections.declaration import remote_of
from app.connections.pull import Pull
from app.connections.stored import connection_of
from app.errors import Complaint, Refused, describe
from app.imports.intake import Submission, submit_each
from app.imports.plan import Options, ReadOptions
from app.imports.sources.pattern import find_files
from app.mappings.mapping import Mapping
from app.resources.conversion import BadCell
from app.resources.email import convert_email
from app.runs.model import AccountId
from app.surfaces.native import translate, wire
from app.web.admission import admit_import
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadConnections, MayWriteImports, OpenRuntime
from app.web.openapi import operation_id
from app.web.refusals import refusals
from app.web.requests import request_id
from app.web.surface import complaint_from

router = APIRouter(
    prefix="/connections/{connection_id}", tags=["connections"], generate_unique_id_function=operation_id
)


@router.post(
    "/imports",
    status_code=201,
    response_model=wire.Begun,
    responses=refusals(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=wire.PULL_BODY,
)
@router.post("/imports/", include_in_schema=False)
async def import_from_connection(
    request: Request, connection_id: str, caller: MayWriteImports, _: MayReadConnections, runtime: OpenRuntime
) -> Response:
    """Start an import of a file of the connection, or one of each file that fits a pattern (`/in/*.csv`), oldest first.

    At most 10 imports of an account wait at a time: files that found no room are counted as `left`;
    send the answer's `next` as `after`, when there is room again, to go on with them.
    """
    async with admit_import(runtime, caller):
        async with runtime.database.read() as session:
            _row, connection = await connection_of(session, runtime, caller.account_id, connection_id)
        asked = body_of(await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
        pull, after = Pull(remote_of(connection), asked.path), translate.file_from(asked.after)
        wanted = submission(caller.account_id, asked, pull, request_id(request))
        files = await find_files(runtime, pull, after=after)
        accepted = await submit_each(runtime, wanted, files)
    return Response(translate.begun(files, accepted).encoded(), 201, media_type=translate.JSON)


def body_of(given: dict[str, object]) -> wire.PullBody:
    """Raises Refused("invalid") that names every mistake."""
    try:
        return wire.PullBody.model_validate(given)
    except ValidationError as wrong:
        complaints = [complaint_from(each["loc"], each["msg"]) for each in wrong.errors()]
        raise Refused("invalid", describe(complaints), complaints) from None


def submission(account_id: AccountId, asked: wire.PullBody, pull: Pull, asked_by: str) -> Submission:
    if asked.confirm_email is not None and isinstance(convert_email(asked.confirm_email), BadCell):
        raise Refused("invalid", "confirmEmail: no address", [Complaint("confirmEmail", "must be an e-mail address")])
    options = Options(
        override_existing=asked.override_existing,
        only_empty=asked.update_only_empty_fields,
        blank_cells=asked.blank_cells,
        null_marker=asked.null_marker,
        duplicates=asked.duplicates,
        unknown_columns=asked.unknown_columns,
    )
    return Submission(
        account_id=account_id,
        origin="native",
        type=asked.type,
        file=pull,
        read=ReadOptions(asked.format, asked.delimiter, asked.encoding),
        mapping=Mapping(ignore_case=True),
        options=options,
        notify=asked.confirm_email,
        request_id=asked_by,
    )
