"""Lists imports, reads one, and follows one by its events."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse

from app.auth.caller import Caller
from app.runs import status
from app.runs.changes.undoable import find_undoable_until
from app.runs.kinds import Kind
from app.runtime import Runtime
from app.surfaces.connectif import translate
from app.surfaces.connectif.routes.answers import JSON, build_router, render_import
from app.surfaces.connectif.vocabulary import STATUSES
from app.surfaces.connectif.wire import imports as wire
from app.web.caller import MayReadImports, OpenRuntime
from app.web.links import base_url, link_to_same_path
from app.web.refusals import refusals
from app.web.responses.tags import has_already, not_modified
from app.web.runs.events import EVENTS, RESUMED, Shown, tell_changes
from app.web.runs.polling import LIST_POLL, POLL, UNCHANGED, begin_poll, tag_of_list
from app.web.runs.waits import look_for_workers, look_for_workers_of_all

router = build_router()
LIST_ANSWERS = refusals(401, 403, 422, 503) | UNCHANGED
READ_ANSWERS = refusals(401, 403, 404, 410, 503) | UNCHANGED


@router.get("/imports", response_model=wire.ImportList, responses=LIST_ANSWERS, openapi_extra=LIST_POLL)
async def list_imports(
    request: Request, caller: MayReadImports, runtime: OpenRuntime, query: Annotated[wire.ListQuery, Query()]
) -> Response:
    """List the account's imports, newest first."""
    states = None if query.status is None else [state for state, word in STATUSES.items() if word == query.status]
    async with runtime.database.read() as session:
        runs, more = await status.list_imports(
            session, caller.account_id, states=states, type=query.type, page=query.page, size=query.page_size
        )
        found = [await status.read_status(session, run) for run in runs]
    statuses = await look_for_workers_of_all(runtime, found)
    tag = tag_of_list(statuses, more)
    if has_already(request, tag):
        return not_modified(tag)
    filters = query.model_dump(by_alias=True, exclude_unset=True)
    links = translate.build_page_links(
        query.page, more=more, address=lambda number: link_to_same_path(request, runtime, **filters | {"page": number})
    )
    base, days = base_url(request, runtime), runtime.settings.retention_days
    undo_days = runtime.settings.undo_days
    results = [
        translate.to_wire(each, base=base, retention_days=days, undoable_until=find_undoable_until(each.run, undo_days))
        for each in statuses
    ]
    return Response(wire.ImportList(links=links, results=results).encoded(), headers={"ETag": tag}, media_type=JSON)


@router.get("/imports/{import_id}", response_model=wire.Import, responses=READ_ANSWERS, openapi_extra=POLL)
async def get_import(request: Request, import_id: str, caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """Read an import. Its counts add up at every moment. Until it has ended, or waits for somebody to decide,
    `Retry-After` says when to ask again."""
    poll = await begin_poll(request, runtime, caller, import_id, [Kind.IMPORT])
    if poll.unchanged is not None:
        return poll.unchanged
    return poll.complete(render_import(request, runtime, await read_import(runtime, caller, import_id)))


async def read_import(runtime: Runtime, caller: Caller, import_id: str) -> status.Status:
    """Raises Refused: not_found, gone."""
    days = runtime.settings.retention_days
    run = await status.look_up_run(runtime.database, caller.account_id, import_id, retention_days=days)
    return await look_for_workers(runtime, await status.look_up_status(runtime.database, run))


@router.get("/imports/{import_id}/events", response_class=StreamingResponse, responses=EVENTS, openapi_extra=RESUMED)
async def follow_import(request: Request, import_id: str, caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """Follow an import: an event for each change, until it has ended. Each has the import as `GET /imports/{import_id}`
    shows it.

    Who comes back with `Last-Event-ID` is told only what is new, and gets 204 once the import has ended.
    """

    async def load() -> Shown:
        current = await read_import(runtime, caller, import_id)
        return Shown(current, render_import(request, runtime, current).body)

    return await tell_changes(request, runtime, caller, load)
