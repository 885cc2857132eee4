"""Starts imports: of a file that is sent, or of one that the service fetches."""

from dataclasses import replace

from fastapi import Request
from fastapi.responses import Response

from app.imports.intake import find_missing, submit
from app.surfaces.connectif import translate
from app.surfaces.connectif.routes.answers import build_router, render_started
from app.surfaces.connectif.routes.received import choose_mapping, find_connection, read_dry_run, receive_request
from app.surfaces.connectif.wire import imports as wire
from app.surfaces.connectif.wire.raw import FROM_FILE, RAW_REQUEST
from app.surfaces.connectif.wire.request import (
    FILE_REQUEST,
    FROM_SOURCE,
    SOURCE_REQUEST,
)
from app.web.admission import admit_import
from app.web.bodies.mapping_choice import MappingChooser
from app.web.caller import (
    MayWriteImports,
    OpenRuntime,
    ensure_may_replace,
)
from app.web.once.route import once
from app.web.refusals import refusals
from app.web.requests import request_id

router = build_router()
CREATE_REFUSALS = refusals(400, 401, 403, 409, 413, 415, 422, 503)


# Each path takes all bodies. They are described apart, because generators of clients cope with one body a path.
@router.post(
    "/imports/",
    name="create_import_from_source",
    description=FROM_SOURCE,
    status_code=201,
    response_model=wire.Import,
    responses=CREATE_REFUSALS,
    openapi_extra=SOURCE_REQUEST,
)
@router.post(
    "/imports/file",
    name="create_import_from_file",
    description=FROM_FILE,
    status_code=201,
    response_model=wire.Import,
    responses=CREATE_REFUSALS,
    openapi_extra=RAW_REQUEST,
)
@router.post(
    "/imports",
    status_code=201,
    response_model=wire.Import,
    responses=CREATE_REFUSALS,
    openapi_extra=FILE_REQUEST,
)
@once(render_started)
async def create_import(request: Request, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Start an import of a file. Once you have the answer, file and import are safe. Poll `links.self` for progress.

    `POST /imports/` describes the same without a file, as JSON that says where it is, and `POST /imports/file` with the
    file as the whole body. Each of the paths takes all three bodies.

    At most 10 imports of an account can be queued or running. The next one is refused with status 400 and code E0401.
    """
    chooser = MappingChooser(runtime, caller)
    async with admit_import(runtime, caller), receive_request(request, runtime, chooser) as sent:
        received = replace(sent, parts=await chooser.fill_type({**sent.parts, **read_dry_run(request)}))
        chosen, wrong = await choose_mapping(received, chooser)
        form = translate.parse_form(received, chosen)
        async with runtime.database.read() as session:
            missing = await find_missing(session, caller.account_id, type=form.type, coupon_set=form.coupon_set)
        complaints = (*missing, *wrong, *form.complaints)
        file = form.file
        if form.connection and not complaints:
            connection = await find_connection(runtime, caller, form.connection)
            file = connection.pull(form.path)
        if complaints or file is None:
            raise translate.refuse(complaints)
        submission = form.build_submission(caller, file, request_id=request_id(request))
        ensure_may_replace(caller, replaces=submission.options.removes)
        run = await submit(runtime, submission)
    async with runtime.database.read() as session:
        return await render_started(request, runtime, session, [run])
