"""All webhooks, each with what it is told and whether it can be reached."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import render_page
from app.dashboard.script import write_curl
from app.dashboard.views.webhooks.lines import EVENT_WORDS, badge_webhook
from app.dashboard.visitor import MayReadWebhooks
from app.deliveries.webhooks import stored
from app.web.caller import OpenRuntime
from app.web.links import base_url

WEBHOOKS: Final = "/app/settings/webhooks"
router = APIRouter(prefix=WEBHOOKS)


@router.get("")
async def list_page(request: Request, visitor: MayReadWebhooks, runtime: OpenRuntime) -> Response:
    """The webhooks by name."""
    async with runtime.database.read() as session:
        found = await stored.list_webhooks(session, visitor.account_id)
    rows = [(each, badge_webhook(each), [EVENT_WORDS[event] for event in each.events]) for each in found]
    command = write_curl(base_url(request, runtime), "/webhooks")
    return render_page(request, visitor, "webhooks/list.html", rows=rows, command=command)
