"""What several routes share: how an import is found, and how it is answered with."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.runs import status
from app.runs.changes.undoable import find_undoable_until
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.surfaces.connectif import translate
from app.web.links import base_url
from app.web.openapi import operation_id
from app.web.responses.rendered import RenderedAnswers
from app.web.runs.polling import describe_run
from app.web.server.final_slash import FinalSlashRoute

JSON = "application/json"


def build_router() -> APIRouter:
    return APIRouter(tags=["imports"], generate_unique_id_function=operation_id, route_class=FinalSlashRoute)


async def find_import(runtime: Runtime, caller: Caller, import_id: str) -> Run:
    """Raises Refused: not_found, gone."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        return await status.find_run(session, caller.account_id, import_id, retention_days=days, whole=False)


async def answer_with(request: Request, runtime: Runtime, run: Run, *, status_code: int = 200) -> Response:
    async with runtime.database.read() as session:
        return render_import(request, runtime, await status.read_status(session, run), status_code=status_code)


async def render_started(request: Request, runtime: Runtime, session: ReadSession, runs: Sequence[Run]) -> Response:
    """For routes that start one import: see app.web.once.route."""
    return render_import(request, runtime, await status.read_status(session, runs[0]), status_code=201)


def render_import(request: Request, runtime: Runtime, current: status.Status, *, status_code: int = 200) -> Response:
    base, days = base_url(request, runtime), runtime.settings.retention_days
    until = find_undoable_until(current.run, runtime.settings.undo_days)
    rendered: RenderedAnswers = request.app.state.rendered
    body = rendered.render(
        (current.run.id, base),
        (current.run.version, current, days, until),
        lambda: translate.to_wire(current, base=base, retention_days=days, undoable_until=until).encoded(),
    )
    return Response(body, status_code, describe_run(current), JSON)
