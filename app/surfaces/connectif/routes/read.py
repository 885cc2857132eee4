"""Lists imports, and reads one."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from app.runs import status
from app.surfaces.connectif import translate
from app.surfaces.connectif.routes.answers import JSON, build_router, render_import
from app.surfaces.connectif.vocabulary import STATUSES
from app.surfaces.connectif.wire import imports as wire
from app.web.caller import (
    MayReadImports,
    OpenRuntime,
)
from app.web.links import base_url, link_to_same_path
from app.web.refusals import refusals

router = build_router()


@router.get("/imports", response_model=wire.ImportList, responses=refusals(401, 403, 422, 503))
@router.get("/imports/", include_in_schema=False)
async def list_imports(
    request: Request, caller: MayReadImports, runtime: OpenRuntime, query: Annotated[wire.ListQuery, Query()]
) -> Response:
    """List the account's imports, newest first."""
    states = None if query.status is None else [state for state, word in STATUSES.items() if word == query.status]
    async with runtime.database.read() as session:
        runs, more = await status.list_imports(
            session, caller.account_id, states=states, type=query.type, page=query.page, size=query.page_size
        )
        statuses = [await status.read_status(session, run) for run in runs]
    filters = query.model_dump(by_alias=True, exclude_unset=True)
    links = translate.build_page_links(
        query.page, more=more, address=lambda number: link_to_same_path(request, runtime, **filters | {"page": number})
    )
    base, days = base_url(request, runtime), runtime.settings.retention_days
    results = [translate.to_wire(each, base=base, retention_days=days) for each in statuses]
    return Response(wire.ImportList(links=links, results=results).encoded(), media_type=JSON)


@router.get("/imports/{import_id}", response_model=wire.Import, responses=refusals(401, 403, 404, 410, 503))
@router.get("/imports/{import_id}/", include_in_schema=False)
async def get_import(request: Request, import_id: str, caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """Read an import. Its counts add up at every moment. Until it has ended, `Retry-After` says when to ask again."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, import_id, retention_days=days, whole=False)
        return render_import(request, runtime, await status.read_status(session, run))
