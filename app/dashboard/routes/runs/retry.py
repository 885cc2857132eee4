"""The failed rows of an import once more, as they are or corrected; and all rows with what became of them."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.received import NO_FILE
from app.dashboard.views.runs.badge import title_of
from app.dashboard.views.runs.failed_rows import name_rows
from app.dashboard.visitor import MayReadImports, MayWriteImports, Visitor
from app.errors import Complaint, Refused
from app.imports.examine import Upload
from app.imports.row_files.download import WantedRows
from app.imports.row_files.taken_rows import load_taken
from app.imports.submissions.rerun import read_charset
from app.imports.submissions.retry import ensure_retriable, ensure_written, submit_retry
from app.runs.model import Run
from app.runs.status import Status, find_run, read_status
from app.runtime import Runtime
from app.web.admission import admit_import
from app.web.bodies.multipart import is_form
from app.web.bodies.upload import receive_form
from app.web.caller import OpenRuntime, ensure_may_replace
from app.web.requests import request_id
from app.web.responses.row_results import respond_with_results

router = APIRouter(prefix="/app/runs/{run_id}")
OF_THE_FILE: Final = ("invalid", "empty_file", "unreadable_file", "bad_request", "too_large")
TOLD_THERE: Final = (*OF_THE_FILE, "queue_full", "gone", "nothing_to_retry")


@router.get("/results")
async def download_results(request: Request, run_id: str, visitor: MayReadImports, runtime: OpenRuntime) -> Response:
    """Every row as it was sent, with its outcome."""
    run = (await load_import(runtime, visitor, run_id)).run
    return await respond_with_results(request, runtime, run, WantedRows(), name=name_rows(run, "all rows"))


@router.get("/retry")
async def ask(request: Request, run_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Says in numbers what will be tried again."""
    return await show(request, visitor, runtime, await load_import(runtime, visitor, run_id))


@router.post("/retry")
async def retry(request: Request, run_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """With a file that one; without one the rows as they were sent."""
    current = await load_import(runtime, visitor, run_id)
    ensure_may_replace(visitor.caller, replaces=current.run.deletes)
    try:
        ensure_retriable(current.run)
        async with admit_import(runtime, visitor.caller):
            run = await start(request, runtime, visitor, current.run)
    except Refused as refused:
        if refused.code not in TOLD_THERE:
            raise
        return await show(request, visitor, runtime, current, wrong=refused)
    return redirect(f"/app/runs/{run.id}", "The failed rows are tried again.")


async def start(request: Request, runtime: Runtime, visitor: Visitor, parent: Run) -> Run:
    """Raises Refused as `submit_retry` and `receive_form` do."""
    if not is_form(request):
        return await submit_file(request, runtime, visitor, parent, None)
    async with receive_form(request, runtime, charset=read_charset(parent)) as form:
        if form.upload is None or (form.upload.size == 0 and not form.upload.file_name):
            raise Refused("invalid", NO_FILE, [Complaint("file", NO_FILE)])
        return await submit_file(request, runtime, visitor, parent, form.upload)


async def submit_file(request: Request, runtime: Runtime, visitor: Visitor, parent: Run, file: Upload | None) -> Run:
    sender, sent = visitor.caller.identity, request_id(request)
    return await submit_retry(runtime, parent, file, name=None, sender=sender, request_id=sent)


async def load_import(runtime: Runtime, visitor: Visitor, run_id: str) -> Status:
    """Raises Refused: not_found, gone."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await find_run(session, visitor.account_id, run_id, retention_days=days)
        return await read_status(session, run)


async def show(
    request: Request, visitor: Visitor, runtime: Runtime, current: Status, *, wrong: Refused | None = None
) -> Response:
    run, form = current.run, FilledForm({"file": ""})
    if wrong is not None:
        form = form.refused(Refused(wrong.code, wrong.detail, [Complaint("file", wrong.detail)]))
    return render_page(
        request,
        visitor,
        "runs/retry.html",
        422 if form.complaints else 200,
        form=form,
        run=run,
        title=title_of(run),
        family=current.family,
        obstacle=find_obstacle(run),
        elsewhere=(await load_taken(runtime, run.id)).find_all(run.failed) if run.done and run.failed else (),
    )


def find_obstacle(run: Run) -> str | None:
    """Why the rows cannot be tried again as they are."""
    try:
        ensure_retriable(run)
        ensure_written(run)
    except Refused as refused:
        return refused.detail
    return None
