"""Mapping templates: which column of a file fills which field, stored by name or suggested from a file."""

import asyncio
from collections.abc import Mapping as Members
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.declarations.types import load_resource
from app.errors import Complaint, Refused, describe
from app.imports.plan import ReadOptions
from app.imports.preview import NO_MAPPING, preview_file
from app.imports.preview_json import preview_to_json
from app.imports.sources.head import FileHead
from app.mappings.declaring.fitting import fit_mapping
from app.mappings.mapping import Mapping
from app.mappings.templates import stored
from app.mappings.templates.fits import rank_templates
from app.mappings.templates.sample import mapping_sample
from app.mappings.templates.stored import StoredTemplate, TemplateUse
from app.resources.schema import Resource
from app.runtime import Runtime
from app.storage.declared.mappings import list_whole
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.declared.mappings import (
    MAPPING_BODY,
    SUGGEST_BODY,
    MappingList,
    MappingTemplate,
    Suggestion,
    SuggestParts,
)
from app.surfaces.native.wire.declared.types import SAMPLE
from app.web.admission import count_upload
from app.web.bodies.head import receive_head
from app.web.bodies.json_body import read_json_object
from app.web.bodies.mapping_choice import MappingChooser
from app.web.bodies.upload import Form
from app.web.caller import MayReadMappings, MayWriteMappings, OpenRuntime
from app.web.declared import mappings as declared
from app.web.links import link_to_same_path
from app.web.refusals import refusals
from app.web.surface import complaint_from

Limit = Annotated[int, Query(ge=1, le=1_000)]
MOST_FITTING = 10  # templates that a suggestion names
router = build_router("/mappings", "mappings")


@router.get("", response_model=MappingList, responses=refusals(401, 403, 422, 503))
async def list_mappings(
    request: Request,
    caller: MayReadMappings,
    runtime: OpenRuntime,
    *,
    type: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Response:
    """List the account's mapping templates in brief, ordered by name and type."""
    after = translate.decode_template_cursor(cursor)
    async with runtime.database.read() as session:
        page = await stored.list_templates(session, caller.account_id, type=type, after=after, limit=limit)
    query = {
        "type": type,
        "limit": limit,
        "cursor": translate.encode_template_cursor(page.rows[-1]) if page.more else None,
    }
    next_page = link_to_same_path(request, runtime, **query) if page.more else None
    return Response(translate.mapping_list(page.rows, next_page).encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=MappingTemplate,
    responses=refusals(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=MAPPING_BODY,
)
async def create_mapping(request: Request, caller: MayWriteMappings, runtime: OpenRuntime) -> Response:
    """Store a mapping template, from a list of columns or from what `POST /mappings/suggest` has answered."""
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    return answer(await declared.create_mapping(runtime, caller, body), [], 201)


def answer(template: StoredTemplate, uses: list[TemplateUse], status: int = 200) -> Response:
    return Response(translate.mapping_template(template, uses), status, media_type=translate.JSON)


@router.get("/{mapping_id}", response_model=MappingTemplate, responses=refusals(401, 403, 404, 503))
async def get_mapping(mapping_id: str, caller: MayReadMappings, runtime: OpenRuntime) -> Response:
    """Read a mapping template with all of its columns. It can be sent back as it is."""
    async with runtime.database.read() as session:
        template = await stored.load_template(session, caller.account_id, mapping_id)
        return answer(template, await stored.list_uses(session, caller.account_id, mapping_id))


@router.get("/{mapping_id}/sample.csv", response_class=Response, responses=refusals(401, 403, 404, 422, 503) | SAMPLE)
async def download_mapping_sample(mapping_id: str, caller: MayReadMappings, runtime: OpenRuntime) -> Response:
    """Download a small file that imports with this template: under its headings, in its spelling."""
    async with runtime.heavy_reads.turn(caller.account_id):
        async with runtime.database.read() as session:
            template = await stored.load_template(session, caller.account_id, mapping_id)
            resource, _ = await load_resource(session, caller.account_id, template.type)
        mapping = await asyncio.to_thread(lambda: fit_mapping(template.as_mapping(), resource))
        sample = await asyncio.to_thread(mapping_sample, mapping, resource)
    headers = {"Content-Disposition": f'attachment; filename="{template.id}-sample.csv"'}
    charset = mapping.options.get("encoding", "utf-8")
    return Response(sample, headers=headers, media_type=f"text/csv; charset={charset}")


@router.put(
    "/{mapping_id}",
    response_model=MappingTemplate,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=MAPPING_BODY,
)
async def put_mapping(request: Request, mapping_id: str, caller: MayWriteMappings, runtime: OpenRuntime) -> Response:
    """Replace a mapping template. Imports that were accepted with it keep the old one."""
    async with runtime.database.read() as session:  # what is not there is refused before the body is read
        template = await stored.load_template(session, caller.account_id, mapping_id)
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    replaced = await declared.replace_mapping(runtime, caller, template, body)
    async with runtime.database.read() as session:
        return answer(replaced, await stored.list_uses(session, caller.account_id, mapping_id))


@router.delete("/{mapping_id}", status_code=204, responses=refusals(401, 403, 404, 503))
async def delete_mapping(mapping_id: str, caller: MayWriteMappings, runtime: OpenRuntime) -> Response:
    """Delete a mapping template. Imports that were accepted with it go on."""
    await declared.delete_mapping(runtime, caller, mapping_id)
    return Response(status_code=204)


@router.post(
    "/suggest",
    response_model=Suggestion,
    responses=refusals(400, 401, 403, 404, 413, 415, 422, 503),
    openapi_extra=SUGGEST_BODY,
)
async def suggest_mapping(request: Request, caller: MayReadMappings, runtime: OpenRuntime) -> Response:
    """Suggest a mapping for a file: which column fills which field, why, and what is wrong with the first 1,000 rows.

    It takes no place in the queue, and nothing of the file is stored.
    """
    chooser = MappingChooser(runtime, caller)
    with count_upload(runtime, caller.account_id):
        form, head = await receive_head(request, runtime, chooser.find_encoding)
    form = replace(form, parts=await chooser.fill_type(form.parts))
    mapping = await chooser.choose(form.parts) or NO_MAPPING
    parts, head = parse_suggest_form(form, head, mapping)
    async with runtime.heavy_reads.turn(caller.account_id):
        async with runtime.database.read() as session:
            resource, _ = await load_resource(session, caller.account_id, parts.type)
            templates = await list_whole(session, caller.account_id, type=parts.type)
        body = await asyncio.to_thread(suggest, head, resource, parts, mapping, runtime, templates=templates)
    return Response(body, media_type=translate.JSON)


def parse_suggest_form(form: Form, head: FileHead | None, mapping: Mapping) -> tuple[SuggestParts, FileHead]:
    """Raises one Refused("invalid") that names every mistake."""
    complaints = [*form.complaints]
    complaints += [Complaint(name, f"`{name}` was sent more than once") for name in sorted(form.repeated)]
    given = {name: value for name, value in form.parts.items() if value}  # pages send every field that they have
    complaints += [
        Complaint(name, f"`{name}` must not contain NUL characters") for name, value in given.items() if "\0" in value
    ]
    try:
        parts = SuggestParts.model_validate({**pick_read_options(mapping), **given})
    except ValidationError as wrong:
        parts, complaints = None, complaints + [complaint_from(each["loc"], each["msg"]) for each in wrong.errors()]
    if head is None:
        complaints.append(Complaint("file", "`file` is required"))
    if parts is None or head is None or complaints:
        raise Refused("invalid", describe(complaints), complaints)
    return parts, head


def pick_read_options(mapping: Mapping) -> dict[str, Any]:
    """Those options of a mapping that say how a file is read."""
    return {name: value for name, value in mapping.options.items() if name in ("format", "delimiter", "encoding")}


def suggest(
    head: FileHead,
    resource: Resource,
    parts: SuggestParts,
    mapping: Mapping,
    runtime: Runtime,
    *,
    templates: Sequence[Members[Any, Any]],
) -> bytes:
    """The answer. `templates` are those of the type. Blocking. Raises Refused: empty_file, unreadable_file, invalid."""
    read = ReadOptions(parts.format, parts.delimiter)
    key_limit = runtime.settings.max_key_characters
    preview = preview_file(head, resource, read, limits=runtime.limits, key_limit=key_limit, mapping=mapping)
    ranked = rank_templates(templates, [each.column.heading for each in preview.columns])
    fitting = [translate.template_fit(each) for each in ranked if each.fits][:MOST_FITTING]
    workbook = {"workbook": msgspec.to_builtins(head.sheet)} if head.sheet else {}
    shown = preview_to_json(preview, resource.name, mapping)
    return msgspec.json.encode({**shown, "templates": fitting, **workbook})
