"""What is done with a webhook: a test, a message sent again, a new secret, switched on and off, removed."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.webhooks.form import load
from app.dashboard.routes.webhooks.listed import WEBHOOKS
from app.dashboard.visitor import MayWriteWebhooks, Visitor
from app.deliveries.webhooks import history, stored
from app.deliveries.webhooks.declaration import WebhookDeclaration
from app.errors import Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime, write_as
from app.web.failures import STATUSES

router = APIRouter(prefix=WEBHOOKS)
FIELDS: Final = {"oldSecretHours": "hours"}


@router.post("/{webhook_id}/test")
async def send_test(webhook_id: str, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    async with write_as(visitor.caller, runtime) as session:
        await history.test_webhook(session, runtime, visitor.account_id, webhook_id)
    return redirect(f"{WEBHOOKS}/{webhook_id}", "A test is on its way. Load this page again to see what came of it.")


@router.post("/{webhook_id}/deliveries/{delivery_id}/replay")
async def send_again(webhook_id: str, delivery_id: str, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    async with write_as(visitor.caller, runtime) as session:
        await history.replay_delivery(session, runtime, visitor.account_id, webhook_id, delivery_id)
    return redirect(f"{WEBHOOKS}/{webhook_id}", "The message is sent again, under the same id.")


@router.post("/{webhook_id}/enable")
async def enable(webhook_id: str, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    return await switch(webhook_id, visitor, runtime, enabled=True)


@router.post("/{webhook_id}/disable")
async def disable(webhook_id: str, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    return await switch(webhook_id, visitor, runtime, enabled=False)


async def switch(webhook_id: str, visitor: Visitor, runtime: Runtime, *, enabled: bool) -> Response:
    found = await load(runtime, visitor, webhook_id)
    wanted = WebhookDeclaration(found.name, found.url, found.events, found.only_named, enabled)
    async with write_as(visitor.caller, runtime) as session:
        await stored.replace_webhook(session, runtime, visitor.account_id, webhook_id, wanted)
    return redirect(f"{WEBHOOKS}/{webhook_id}", f"Switched {'on' if enabled else 'off'}.")


@router.get("/{webhook_id}/rotate")
async def show_rotation(request: Request, webhook_id: str, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    form = FilledForm({"hours": stored.OLD_SECRET_HOURS})
    return await render_rotation(request, webhook_id, visitor, runtime, form)


async def render_rotation(
    request: Request, webhook_id: str, visitor: Visitor, runtime: Runtime, form: FilledForm, status: int = 200
) -> Response:
    webhook = await load(runtime, visitor, webhook_id)
    return render_page(request, visitor, "webhooks/rotate.html", status, webhook=webhook, form=form)


@router.post("/{webhook_id}/rotate")
async def rotate(request: Request, webhook_id: str, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    """Answers with the new secret, without a redirect: it is shown only now."""
    hours = text_of(await read_form(request), "hours")
    whole = int(hours) if hours.isdecimal() and len(hours) < 6 else -1  # what is no number is refused by the engine
    try:
        async with write_as(visitor.caller, runtime) as session:
            rotated, secret = await stored.rotate_secret(
                session, runtime, visitor.account_id, webhook_id, old_hours=whole
            )
    except Refused as refused:
        if refused.code != "invalid":
            raise
        form = FilledForm({"hours": hours}).refused(refused, FIELDS)
        return await render_rotation(request, webhook_id, visitor, runtime, form, STATUSES[refused.code])
    return render_page(request, visitor, "webhooks/secret.html", webhook=rotated, secret=secret, hours=whole)


@router.get("/{webhook_id}/delete")
async def ask(request: Request, webhook_id: str, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    webhook = await load(runtime, visitor, webhook_id)
    return render_page(request, visitor, "webhooks/delete.html", webhook=webhook)


@router.post("/{webhook_id}/delete")
async def delete(webhook_id: str, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    name = (await load(runtime, visitor, webhook_id)).name
    async with write_as(visitor.caller, runtime) as session:
        await stored.delete_webhook(session, visitor.account_id, webhook_id)
    return redirect(WEBHOOKS, f"Webhook {name} removed.")
