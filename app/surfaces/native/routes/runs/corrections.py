"""The bad values of an import, to be corrected by value."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from app.imports.corrections.values import FailedValues, count_values
from app.runs import status
from app.runs.problems import Wanted
from app.surfaces.native.failed_values import decode_rank, encode_rank, render_values
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.corrections import FailedValueList
from app.surfaces.native.wire.problems import OfCause, OfColumn
from app.web.caller import MayReadImports, OpenRuntime
from app.web.links import link_to_same_path
from app.web.refusals import refusals
from app.web.responses.pieces import respond

router = build_router("/imports/{import_id}", "imports")
Limit = Annotated[int, Query(ge=1, le=1_000)]
JSON = "application/json"


@router.get("/failed-values", response_model=FailedValueList, responses=refusals(401, 403, 404, 410, 422, 503))
async def list_failed_values(
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
    """List the different bad values of an import with the number of their rows, the most frequent first.

    Rows that fail as a whole, such as those with too few cells, have none. At most 5,000 different values are listed;
    where there are more, `others` counts the rest, and every value in more than `atMost` rows is among those listed.
    """
    after, days = decode_rank(cursor), runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, import_id, retention_days=days, whole=False)
    found = await count_values(runtime, run, Wanted(code, column))
    rest = [each for each in found.values if after is None or each.rank > after]
    next_page = None
    if len(rest) > limit:
        next_cursor = encode_rank(rest[limit - 1])
        next_page = link_to_same_path(request, runtime, limit=limit, code=code, column=column, cursor=next_cursor)
    body = render_values(FailedValues(rest[:limit], found.others, found.at_most), next_page)
    return respond(runtime, caller.account_id, body, JSON)
