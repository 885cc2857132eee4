"""The audit log: who has changed what, in sentences."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from app.audit.actions import ACTIONS
from app.audit.log import DeedQuery, list_deeds
from app.dashboard.render import render_page
from app.dashboard.visitor import MayReadAudit
from app.errors import Complaint, Refused
from app.web.audit.reading import encode_deed_cursor, read_deed_query
from app.web.caller import OpenRuntime
from app.web.links import base_url, link_to_same_path

router = APIRouter(prefix="/app/audit")
PAGE: Final = 50
NOT_A_DAY: Final = "`{}` must be a day, such as 2026-11-27"


class DeedFilters(BaseModel):
    """The query of the page; "" where there is no filter. Days are those of UTC, and `until` is the last one that is
    shown."""

    action: str = ""
    actor: str = Field(default="", max_length=320)
    what: str = Field(default="", max_length=1_000)
    since: str = ""
    until: str = ""
    cursor: str | None = None


@router.get("")
async def show_audit_log(
    request: Request, visitor: MayReadAudit, runtime: OpenRuntime, wanted: Annotated[DeedFilters, Query()]
) -> Response:
    query, given = read_query(wanted), wanted.model_dump(exclude_defaults=True, exclude={"cursor"})
    async with runtime.database.read() as session:
        found, more = await list_deeds(session, visitor.account_id, query, limit=PAGE)
    following = given | {"cursor": encode_deed_cursor(found[-1])} if more else None
    return render_page(
        request,
        visitor,
        "access/audit.html",
        deeds=found,
        actions=ACTIONS,
        filters=wanted,
        filtered=bool(given),
        next=link_to_same_path(request, runtime, **following) if following else None,
        first=link_to_same_path(request, runtime, **given) if wanted.cursor else None,
        url=base_url(request, runtime),
        days=runtime.settings.audit_days,
    )


def read_query(wanted: DeedFilters) -> DeedQuery:
    """Raises Refused("invalid")."""
    last = read_day("until", wanted.until)
    return read_deed_query(
        {"action": wanted.action, "actor": wanted.actor.strip(), "what": wanted.what},
        since=read_day("since", wanted.since),
        before=None if last is None else last + timedelta(days=1),
        cursor=wanted.cursor,
    )


def read_day(name: str, text: str) -> datetime | None:
    """Its first moment; None if there is no text. Raises Refused("invalid")."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) if text else None
    except ValueError:
        raise Refused("invalid", NOT_A_DAY.format(name), [Complaint(name, NOT_A_DAY.format(name))]) from None
