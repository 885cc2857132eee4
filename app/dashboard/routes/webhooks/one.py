"""One webhook: what it is told, and what it was sent."""

from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import render_page
from app.dashboard.routes.webhooks.listed import WEBHOOKS
from app.dashboard.script import write_curl
from app.dashboard.views.webhooks.lines import EVENT_WORDS, badge_webhook, describe_message, explain_state
from app.dashboard.visitor import MayReadWebhooks
from app.deliveries.webhooks import history, stored
from app.web.caller import OpenRuntime
from app.web.links import base_url
from app.web.runs.reading import decode_run_cursor, encode_run_cursor

router = APIRouter(prefix=WEBHOOKS)
SHOWN: Final = 25  # messages of a page


@router.get("/{webhook_id}")
async def show_webhook(
    request: Request, webhook_id: str, visitor: MayReadWebhooks, runtime: OpenRuntime, *, cursor: str | None = None
) -> Response:
    """With its messages, newest first."""
    after = decode_run_cursor(cursor)
    async with runtime.database.read() as session:
        webhook = await stored.load_webhook(session, visitor.account_id, webhook_id)
        found, more = await history.list_deliveries(session, visitor.account_id, webhook_id, after=after, limit=SHOWN)
    own, base = f"{WEBHOOKS}/{webhook_id}", base_url(request, runtime)
    return render_page(
        request,
        visitor,
        "webhooks/one.html",
        webhook=webhook,
        badge=badge_webhook(webhook),
        why=explain_state(webhook),
        events=[EVENT_WORDS[each] for each in webhook.events],
        messages=[describe_message(each) for each in found],
        own=own,
        next=f"{own}?{urlencode({'cursor': encode_run_cursor(found[-1])})}" if more else None,
        first=own if cursor else None,
        command="\n\n".join(
            [
                write_curl(base, f"/webhooks/{webhook_id}/deliveries"),
                write_curl(base, f"/webhooks/{webhook_id}/test", method="POST"),
            ]
        ),
    )
