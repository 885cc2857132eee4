"""What is wrong with the rows of a run, as a list and as a file to correct, and how its columns were found."""

import asyncio
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.live.run import find_visible
from app.dashboard.render import render_page
from app.dashboard.sentences import PROBLEM_CHOICES, remedy_of_problem
from app.dashboard.views.runs.badge import title_of
from app.dashboard.views.runs.failed_rows import name_failed_rows
from app.dashboard.views.runs.found import tell_found
from app.dashboard.visitor import MayReadImports, MayReadRuns, NeedScope
from app.imports.results.columns import describe_columns
from app.imports.row_files.download import FAILED_ROWS, open_rows
from app.imports.staged.changes import ensure_planned, read_changes
from app.runs.changes.file import write_file
from app.runs.problems import Wanted, load_page
from app.runs.status import find_run
from app.web.caller import OpenRuntime
from app.web.responses.downloads import FileDownload, ensure_few_downloads

router = APIRouter(prefix="/app/runs/{run_id}")
PAGE_SIZE: Final = 100
MOST_COLUMNS: Final = 2_000


@router.get("/problems")
async def show_problems(
    request: Request,
    run_id: str,
    visitor: MayReadRuns,
    runtime: OpenRuntime,
    *,
    code: str = "",
    column: str = "",
    cursor: str | None = None,
) -> Response:
    """A page of them in the order of the file. The filters keep their place in the address."""
    async with runtime.heavy_reads.turn(visitor.account_id), runtime.database.read() as session:
        run = await find_visible(session, runtime, visitor, run_id)
        wanted = Wanted(code or None, column or None)
        found, following = await load_page(session, run.id, cursor=cursor, limit=PAGE_SIZE, wanted=wanted)
    own, query = f"/app/runs/{run.id}/problems", {"code": code, "column": column}
    kept = {name: value for name, value in query.items() if value}
    return render_page(
        request,
        visitor,
        "runs/problems.html",
        run=run,
        title=title_of(run),
        problems=[(each, remedy_of_problem(each.code)) for each in found],
        codes=list_codes({each["code"] for each in run.error_summary}),
        columns=sorted({each["column"] or each["field"] or "" for each in run.error_summary} - {""}),
        code=code,
        column=column,
        first=f"{own}?{urlencode(kept)}" if cursor else None,
        following=f"{own}?{urlencode({**kept, 'cursor': following})}" if following else None,
    )


def list_codes(codes: set[str]) -> list[tuple[str, str]]:
    return [(code, words) for code, words in PROBLEM_CHOICES if not code or code in codes]


@router.get("/failed-rows.csv")
async def download_failed_rows(run_id: str, visitor: MayReadImports, runtime: OpenRuntime) -> Response:
    """The rows that failed with all their columns, to be corrected and imported again."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await find_run(session, visitor.account_id, run_id, retention_days=days)
    ensure_few_downloads(runtime, visitor.account_id)
    rows = await open_rows(runtime, run, FAILED_ROWS)
    return FileDownload(runtime, visitor.account_id, rows, name_failed_rows(run))


@router.get("/changes.csv")
async def download_changes(run_id: str, visitor: MayReadImports, runtime: OpenRuntime) -> Response:
    """What an import would change, a field a line."""
    await NeedScope(("records:read",))(visitor)
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await find_run(session, visitor.account_id, run_id, retention_days=days)
    ensure_planned(run)
    ensure_few_downloads(runtime, visitor.account_id)
    pages = write_file(read_changes(runtime, run), "csv")
    return FileDownload(runtime, visitor.account_id, pages, f"{run.id}-changes.csv")


@router.get("/columns")
async def show_columns(request: Request, run_id: str, visitor: MayReadImports, runtime: OpenRuntime) -> Response:
    """Which column of the file became what, and how that was found."""
    days = runtime.settings.retention_days
    async with runtime.heavy_reads.turn(visitor.account_id):
        async with runtime.database.read() as session:
            run = await find_run(session, visitor.account_id, run_id, retention_days=days)
        columns = await asyncio.to_thread(lambda: list(describe_columns(run)))
    return render_page(
        request,
        visitor,
        "runs/columns.html",
        run=run,
        title=title_of(run),
        columns=[(each, tell_found(each)) for each in columns[:MOST_COLUMNS]],
        more=len(columns[MOST_COLUMNS:]),
    )
