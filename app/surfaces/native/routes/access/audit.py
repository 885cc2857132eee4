"""The audit log of the account, and of what is for the operator alone: who has changed what, when and from where."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from app.audit.log import list_deeds
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.audit.rows import Filter
from app.surfaces.native import translate
from app.surfaces.native.access.audit import audit_entry
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.access.audit import AuditList, AuditQueryParameters
from app.surfaces.native.wire.shape import Links
from app.web.audit.reading import encode_deed_cursor, read_deed_query
from app.web.caller import MayOperate, MayReadAudit, OpenRuntime
from app.web.links import link_to_same_path
from app.web.refusals import refusals

router = build_router("/audit", "audit log")
for_operator = build_router("/admin/audit", "admin", for_operator=True)
QuerySent = Annotated[AuditQueryParameters, Query()]


@router.get("", response_model=AuditList, responses=refusals(401, 403, 422, 503))
async def list_audit_log(request: Request, caller: MayReadAudit, runtime: OpenRuntime, query: QuerySent) -> Response:
    """List who has changed what in the account, newest first: settings, keys, people, templates and single records, and
    who has started, decided about and deleted runs.

    An entry has its time from the change, and is seen when that is complete: who follows the log asks for the last
    minute again.
    """
    return await respond(request, runtime, query, caller.account_id)


@for_operator.get("", response_model=AuditList, responses=refusals(401, 403, 422, 503))
async def list_operator_log(request: Request, _: MayOperate, runtime: OpenRuntime, query: QuerySent) -> Response:
    """List what is in no account's log, newest first: keys of the operator, deletions of accounts, and attempts to sign
    in with an address that nobody has."""
    return await respond(request, runtime, query, None)


async def respond(
    request: Request, runtime: Runtime, query: AuditQueryParameters, account_id: AccountId | None
) -> Response:
    filters: dict[Filter, str | None] = {"action": query.action, "actor": query.actor, "what": query.what}
    wanted = read_deed_query(filters, since=query.since, before=query.before, cursor=query.cursor)
    async with runtime.database.read() as session:
        found, more = await list_deeds(session, account_id, wanted, limit=query.limit)
    sent = query.model_dump(by_alias=True, exclude_unset=True, mode="json")
    links = Links()
    if more:
        links = Links(next=link_to_same_path(request, runtime, **sent | {"cursor": encode_deed_cursor(found[-1])}))
    shown = AuditList(links=links, results=[audit_entry(each) for each in found])
    return Response(shown.encoded(), media_type=translate.JSON)
