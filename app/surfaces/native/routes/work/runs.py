"""Runs of every kind: all the work of an account in one list."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.errors import Refused
from app.runs import status
from app.runs.kinds import KINDS, Kind
from app.runs.status import RunQuery
from app.storage.runs import Filter
from app.surfaces.native import translate
from app.surfaces.native.run_items import decode_run_cursor, encode_run_cursor, run_item, run_list
from app.surfaces.native.wire.runs import RunItem, RunList, RunQueryParameters
from app.web.caller import MayReadRuns, OpenRuntime
from app.web.links import base_url, link_to_same_path
from app.web.openapi import operation_id
from app.web.refusals import refusals

router = APIRouter(prefix="/runs", tags=["runs"], generate_unique_id_function=operation_id)


@router.get("", response_model=RunList, responses=refusals(401, 403, 422, 503))
@router.get("/", include_in_schema=False)
async def list_runs(
    request: Request, caller: MayReadRuns, runtime: OpenRuntime, query: Annotated[RunQueryParameters, Query()]
) -> Response:
    """List the account's runs, newest first: imports of every surface, and whatever else it has the service do. A key
    sees the kinds that its scopes allow."""
    wanted = RunQuery(
        kinds=visible_kinds(caller, query.kind),
        filters=filters_of(query),
        since=query.since,
        before=query.before,
        after=decode_run_cursor(query.cursor),
    )
    async with runtime.database.read() as session:
        found, more = await status.list_accepted(session, caller.account_id, wanted, limit=query.limit)
    sent = query.model_dump(by_alias=True, exclude_unset=True, mode="json")
    following = {**sent, "cursor": encode_run_cursor(found[-1].run)} if more else None
    next_page = None if following is None else link_to_same_path(request, runtime, **following)
    base, days = base_url(request, runtime), runtime.settings.retention_days
    return Response(run_list(found, next_page, base=base, retention_days=days).encoded(), media_type=translate.JSON)


def filters_of(query: RunQueryParameters) -> dict[Filter, str]:
    given: dict[Filter, str | None] = {
        "state": query.status,
        "type": query.type,
        "name": query.name,
        "origin": query.origin,
        "parent_id": query.parent_id,
    }
    return {name: value for name, value in given.items() if value is not None}


def visible_kinds(caller: Caller, wanted: Kind | None) -> list[Kind]:
    """The kinds of runs that the caller may see, or the one that is wanted. Raises Refused("not_allowed")."""
    if wanted is None:
        return [kind for kind, rules in KINDS.items() if caller.has_scope(rules.read_scope)]
    scope = KINDS[wanted].read_scope
    if not caller.has_scope(scope):
        raise Refused("not_allowed", f"The API key does not have the scope `{scope}`")
    return [wanted]


@router.get("/{run_id}", response_model=RunItem, responses=refusals(401, 403, 404, 410, 503))
@router.get("/{run_id}/", include_in_schema=False)
async def get_run(request: Request, run_id: str, caller: MayReadRuns, runtime: OpenRuntime) -> Response:
    """Read a run of any kind. `links.details` is where its kind tells everything.

    Until it has ended, `Retry-After` says when to ask again.
    """
    base, days = base_url(request, runtime), runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, run_id, kind=None, retention_days=days, whole=False)
        visible_kinds(caller, run.kind)
        current = await status.read_status(session, run)
    wait = status.retry_after(run)
    headers = {} if wait is None else {"Retry-After": str(int(wait.total_seconds()))}
    body = run_item(current, base=base, retention_days=days).encoded()
    return Response(body, headers=headers, media_type=translate.JSON)
