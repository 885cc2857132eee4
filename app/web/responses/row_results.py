"""Sends the rows of an import with what became of them, as a file that is made while it is sent."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from app.imports.results.reread import ensure_file
from app.imports.row_files.download import RowsFormat, WantedRows, open_rows
from app.runs.ledger import OUTCOMES
from app.runs.model import Run
from app.runtime import Runtime
from app.web.responses.downloads import CSV, JSON_LINES, FileDownload, ensure_few_downloads
from app.web.responses.tags import has_already

MEDIA_TYPES: Final[Mapping[RowsFormat, str]] = {"csv": CSV, "jsonl": JSON_LINES}
# What `Accept` may ask for.
ACCEPTED: Final[Mapping[str, RowsFormat]] = {
    "text/csv": "csv",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
}
RESULTS_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The rows, as CSV or JSON Lines",
        "content": {media: {"schema": {"type": "string"}} for media in ("text/csv", "application/jsonl")},
        "headers": {"ETag": {"schema": {"type": "string"}, "description": "Another one as soon as any row differs"}},
    },
    304: {"description": "The client has this file: its `ETag` is in `If-None-Match`"},
}


def read_format(request: Request, asked: RowsFormat | None) -> RowsFormat | None:
    """What the query or `Accept` asks for; None for the format of the import's file."""
    if asked is not None:
        return asked
    named = [each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "").split(",")]
    return next((ACCEPTED[each] for each in named if each in ACCEPTED), None)


async def respond_with_results(
    request: Request, runtime: Runtime, run: Run, wanted: WantedRows, *, name: str
) -> Response:
    """`name` is without the ending. 304 if the client has the file already. Raises Refused: too_many_reads, not_found,
    gone."""
    ensure_few_downloads(runtime, run.account_id)
    ensure_file(run)
    chosen, headers = wanted.choose_format(run), {"ETag": build_etag(run, wanted), "Vary": "Accept"}
    if has_already(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    rows = await open_rows(runtime, run, wanted)
    return FileDownload(
        runtime, run.account_id, rows, f"{name}.{chosen}", media_type=MEDIA_TYPES[chosen], headers=headers
    )


def build_etag(run: Run, wanted: WantedRows) -> str:
    """Outcomes only change together with the counts, the cursor, or the state of the run."""
    told = [run.id, run.state, run.attempt, run.batches, *(getattr(run, name) for name in OUTCOMES)]
    asked = [*sorted(wanted.outcomes), wanted.choose_format(run), *wanted.report]
    return f'"{sha256(repr((told, asked)).encode()).hexdigest()}"'
