"""Mapping templates: which column of a file fills which field, suggested from a file."""

import asyncio

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.declarations.types import load_resource
from app.errors import Complaint, Refused, describe
from app.imports.plan import ReadOptions
from app.imports.preview import preview_file, preview_to_json
from app.imports.sources.head import FileHead
from app.resources.schema import Resource
from app.runtime import Runtime
from app.surfaces.native import translate
from app.surfaces.native.wire.mappings import SUGGEST_BODY, Suggestion, SuggestParts
from app.web.admission import count_upload
from app.web.bodies.head import receive_head
from app.web.bodies.upload import Form
from app.web.caller import MayReadMappings, OpenRuntime
from app.web.openapi import operation_id
from app.web.refusals import refusals
from app.web.surface import complaint_from

router = APIRouter(prefix="/mappings", tags=["mappings"], generate_unique_id_function=operation_id)


@router.post(
    "/suggest",
    response_model=Suggestion,
    responses=refusals(400, 401, 403, 404, 413, 415, 422, 503),
    openapi_extra=SUGGEST_BODY,
)
@router.post("/suggest/", include_in_schema=False)
async def suggest_mapping(request: Request, caller: MayReadMappings, runtime: OpenRuntime) -> Response:
    """Suggest a mapping for a file: which column fills which field, why, and what is wrong with the first 1,000 rows.

    It takes no place in the queue, and nothing of the file is stored.
    """
    with count_upload(runtime, caller.account_id):
        form, head = await receive_head(request, runtime.settings)
    parts, head = parse_suggest_form(form, head)
    async with runtime.heavy_reads.turn(caller.account_id):
        async with runtime.database.read() as session:
            resource, _ = await load_resource(session, caller.account_id, parts.type)
        read = ReadOptions(parts.format, parts.delimiter)
        body = await asyncio.to_thread(suggest, head, resource, read, runtime)
    return Response(body, media_type=translate.JSON)


def parse_suggest_form(form: Form, head: FileHead | None) -> tuple[SuggestParts, FileHead]:
    """Raises one Refused("invalid") that names every mistake."""
    complaints = [*form.complaints]
    complaints += [Complaint(name, f"`{name}` was sent more than once") for name in sorted(form.repeated)]
    given = {name: value for name, value in form.parts.items() if value}  # pages send every field that they have
    complaints += [
        Complaint(name, f"`{name}` must not contain NUL characters") for name, value in given.items() if "\0" in value
    ]
    try:
        parts = SuggestParts.model_validate(given)
    except ValidationError as wrong:
        parts, complaints = None, complaints + [complaint_from(each["loc"], each["msg"]) for each in wrong.errors()]
    if head is None:
        complaints.append(Complaint("file", "`file` is required"))
    if parts is None or head is None or complaints:
        raise Refused("invalid", describe(complaints), complaints)
    return parts, head


def suggest(head: FileHead, resource: Resource, read: ReadOptions, runtime: Runtime) -> bytes:
    """The answer. Blocking. Raises Refused: empty_file, unreadable_file, invalid."""
    key_limit = runtime.settings.max_key_characters
    preview = preview_file(head, resource, read, limits=runtime.limits, key_limit=key_limit)
    return msgspec.json.encode(preview_to_json(preview, resource.name))
