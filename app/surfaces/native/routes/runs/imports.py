"""What became of the rows of an import: problems as a list, and rows as a file to correct."""

import asyncio
from collections.abc import Collection
from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from app.imports.results.columns import describe_columns
from app.imports.results.sent_row import read_sent_row
from app.imports.row_files.download import FAILED_ROWS, RowOutcomeName, RowsFormat, WantedRows, open_rows
from app.imports.staged.changes import ALL, PARTS, ChangePage, ensure_planned, load_changes, read_changes
from app.runs import problems, status
from app.runs.changes.change import ChangeOutcome
from app.runs.changes.file import FORMATS, Format, write_file
from app.runs.model import Run
from app.runtime import Runtime
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.changes import CHANGES_FILE, ChangeList, ChangesQuery
from app.surfaces.native.wire.imports import ColumnList, SentRowItem
from app.surfaces.native.wire.problems import OfCause, OfColumn, ProblemList
from app.surfaces.native.wire.shape import Links
from app.undo.noted import NotedPage, ensure_noted, load_noted, read_noted
from app.web.caller import MayReadImports, MayReadRecords, OpenRuntime
from app.web.links import decode_cursor, encode_cursor, invalid_cursor, link_to_same_path
from app.web.refusals import refusals
from app.web.responses.downloads import CountedStream, FileDownload, ensure_few_downloads
from app.web.responses.pieces import respond
from app.web.responses.row_results import RESULTS_FILE, read_format, respond_with_results

router = build_router("/imports/{import_id}", "imports")
Limit = Annotated[int, Query(ge=1, le=1_000)]
WithOutcome = Annotated[
    list[RowOutcomeName] | None, Query(description="Only rows with this outcome. May be given several times")
]
InFormat = Annotated[RowsFormat | None, Query(description="By default what `Accept` asks for, else that of the file")]


@router.get("/problems", response_model=ProblemList, responses=refusals(401, 403, 404, 410, 422, 503))
async def list_problems(
    request: Request,
    import_id: str,
    caller: MayReadImports,
    runtime: OpenRuntime,
    *,
    limit: Limit = 100,
    cursor: str | None = None,
    code: OfCause = None,
    column: OfColumn = None,
) -> Response:
    """List everything that is wrong with the rows of an import, in the order of the file."""
    days = runtime.settings.retention_days
    async with runtime.heavy_reads.turn(caller.account_id), runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, import_id, retention_days=days, whole=False)
        found, next_cursor = await problems.load_page(
            session, run.id, cursor=cursor, limit=limit, wanted=problems.Wanted(code, column)
        )
    next_page = (
        None
        if next_cursor is None
        else link_to_same_path(request, runtime, limit=limit, code=code, column=column, cursor=next_cursor)
    )
    return Response(translate.problem_list(found, next_page).encoded(), media_type=translate.JSON)


@router.get("/changes", response_model=ChangeList, responses=refusals(401, 403, 404, 409, 410, 422, 503) | CHANGES_FILE)
async def list_changes(
    request: Request,
    import_id: str,
    caller: MayReadImports,
    _: MayReadRecords,
    runtime: OpenRuntime,
    query: Annotated[ChangesQuery, Query()],
) -> Response:
    """List what an import would change that is planned or halted and has written nothing yet, field by field; of one
    that has ended, what it has changed, for as long as it can be undone.

    First what its rows create and update, in the order of the keys, then what a replacement removes; once it has ended,
    what was created comes last. A page may end early: follow `links.next` as long as there is one. JSON Lines have a
    change a line, CSV a field a line. Requires `records:read` as well.
    """
    days, outcomes = runtime.settings.retention_days, query.outcome or ALL
    async with runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, import_id, retention_days=days)
    if query.format is not None:
        return await download_changes(runtime, run, outcomes, query.format)
    async with runtime.heavy_reads.turn(caller.account_id):
        ensure_few_downloads(runtime, caller.account_id)
        after = decode_cursor(query.cursor)
        page: ChangePage | NotedPage
        if run.done:
            page = await load_noted(runtime, run, cursor=after, limit=query.limit, outcomes=outcomes)
        elif after is not None and after[:1] not in PARTS:
            raise invalid_cursor("cursor")
        else:
            page = await load_changes(runtime, run, cursor=after, limit=query.limit, outcomes=outcomes)
        following = None if page.cursor is None else encode_cursor(page.cursor)
        others = {"outcome": query.outcome, "limit": query.limit, "cursor": following}
        next_page = None if following is None else link_to_same_path(request, runtime, **others)
        links = Links() if next_page is None else Links(next=next_page)
        body = await asyncio.to_thread(translate.encode_changes, links, page.changes)
    return respond(runtime, caller.account_id, body, translate.JSON)


async def download_changes(
    runtime: Runtime, run: Run, outcomes: Collection[ChangeOutcome], format: Format
) -> CountedStream:
    """Raises Refused, not_held or not_undoable, before the first byte."""
    ensure_few_downloads(runtime, run.account_id)
    ensure_noted(runtime, run) if run.done else ensure_planned(run)
    read = read_noted if run.done else read_changes
    pages = write_file(read(runtime, run, outcomes), format)
    headers = {"Content-Disposition": f'attachment; filename="{run.id}-changes.{format}"'}
    return CountedStream(runtime, run.account_id, pages, media_type=FORMATS[format].media_type, headers=headers)


@router.get("/columns", response_model=ColumnList, responses=refusals(401, 403, 404, 410, 503))
async def list_columns(import_id: str, caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """List the columns of the file in its order, each with the field that it fills and how that was found. Empty until
    a file that the service fetches has arrived."""
    days = runtime.settings.retention_days
    async with runtime.heavy_reads.turn(caller.account_id):
        async with runtime.database.read() as session:
            run = await status.find_run(session, caller.account_id, import_id, retention_days=days)
        body = await asyncio.to_thread(translate.column_list, describe_columns(run))
    return Response(body, media_type=translate.JSON)


@router.get("/rows/{row}", response_model=SentRowItem, responses=refusals(401, 403, 404, 410, 422, 503))
async def get_row(
    import_id: str, row: Annotated[int, Path(ge=1, le=2_147_483_647)], caller: MayReadImports, runtime: OpenRuntime
) -> Response:
    """Read a row of the file as it was sent, as long as the file is stored. The first after the header is row 1."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, import_id, retention_days=days)
    body = translate.sent_row(await read_sent_row(runtime, run, row))
    return respond(runtime, caller.account_id, body, translate.JSON)


@router.get(
    "/failed-rows.csv",
    response_class=StreamingResponse,
    responses=refusals(401, 403, 404, 410, 503) | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def download_failed_rows(import_id: str, caller: MayReadImports, runtime: OpenRuntime) -> StreamingResponse:
    """Download the failed rows: all columns of the file, then `_line`, `_codes` and `_messages`.

    Once the rows are corrected, the file can be imported as it is, with the same options: those three columns are
    ignored. The file is UTF-8 with a byte order mark, which counts for more than `encoding`. Failed rows of JSON Lines
    are CSV, too, and are read as CSV when they come back.
    """
    async with runtime.database.read() as session:
        run = await status.find_run(
            session, caller.account_id, import_id, retention_days=runtime.settings.retention_days
        )
    ensure_few_downloads(runtime, caller.account_id)
    rows = await open_rows(runtime, run, FAILED_ROWS)
    return FileDownload(runtime, caller.account_id, rows, f"{run.id}-failed-rows.csv")


@router.get(
    "/results", response_class=StreamingResponse, responses=refusals(401, 403, 404, 410, 422, 503) | RESULTS_FILE
)
async def download_results(
    request: Request,
    import_id: str,
    caller: MayReadImports,
    runtime: OpenRuntime,
    *,
    outcome: WithOutcome = None,
    format: InFormat = None,
) -> Response:
    """Download every row of the file in its order, as it was sent, with what became of it: its columns first, then
    `_line`, `_outcome`, `_key`, `_codes` and `_messages`.

    The file can be imported as it is: those five columns are ignored. An import that is still at work is told as far as
    it has come. A staged import tells what its rows would do, until it is applied. Until a file that the service
    fetches has arrived, there are no results.
    """
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, import_id, retention_days=days)
    wanted = WantedRows(frozenset(outcome or ()), read_format(request, format))
    return await respond_with_results(request, runtime, run, wanted, name=f"{run.id}-results")
