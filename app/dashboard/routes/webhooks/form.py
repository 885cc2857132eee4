"""A new webhook, whose secret is shown once, and a change of one."""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.webhooks.listed import WEBHOOKS
from app.dashboard.script import write_curl
from app.dashboard.views.webhooks.lines import EVENT_SENTENCES, EVENT_WORDS
from app.dashboard.visitor import MayWriteWebhooks, Visitor
from app.deliveries.webhooks import stored
from app.deliveries.webhooks.declaration import WebhookDeclaration
from app.deliveries.webhooks.webhook import SUBSCRIBABLE, Webhook
from app.errors import Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime, write_as
from app.web.failures import STATUSES
from app.web.links import base_url

router = APIRouter(prefix=WEBHOOKS)
NEW: Final = FilledForm({"name": "", "url": "", "events": SUBSCRIBABLE, "onlyNamed": False})


@router.get("/new")
async def show_new(request: Request, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    return render_form(request, visitor, runtime, NEW)


def render_form(
    request: Request,
    visitor: Visitor,
    runtime: Runtime,
    form: FilledForm,
    webhook: Webhook | None = None,
    status: int = 200,
) -> Response:
    events = [(event, EVENT_WORDS[event], EVENT_SENTENCES[event]) for event in SUBSCRIBABLE]
    body = {name: list(value) if name == "events" else value for name, value in form.values.items()}
    path, method = (f"/webhooks/{webhook.id}", "PUT") if webhook else ("/webhooks", "")
    command = write_curl(base_url(request, runtime), path, method=method, body=body)
    found: Any = form.values["events"]
    given = {"form": form, "webhook": webhook, "events": events, "chosen": found, "command": command}
    return render_page(request, visitor, "webhooks/form.html", status, **given)


@router.post("/new")
async def create(request: Request, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    """Answers with the secret, without a redirect: it is shown only now."""
    form = read_values(await read_form(request))
    try:
        async with write_as(visitor.caller, runtime) as session:
            wanted = declare(form, enabled=True)
            made, secret = await stored.create_webhook(session, runtime, visitor.account_id, wanted)
    except Refused as refused:
        return render_form(request, visitor, runtime, form.refused(refused), status=STATUSES[refused.code])
    return render_page(request, visitor, "webhooks/secret.html", webhook=made, secret=secret, hours=None)


def read_values(sent: FormData) -> FilledForm:
    return FilledForm(
        {
            "name": text_of(sent, "name"),
            "url": text_of(sent, "url"),
            "events": [str(each) for each in sent.getlist("events")],
            "onlyNamed": text_of(sent, "onlyNamed") == "true",
        }
    )


def declare(form: FilledForm, *, enabled: bool) -> WebhookDeclaration:
    values = form.values
    return WebhookDeclaration(values["name"], values["url"], values["events"], values["onlyNamed"], enabled)


async def load(runtime: Runtime, visitor: Visitor, webhook_id: str) -> Webhook:
    async with runtime.database.read() as session:
        return await stored.load_webhook(session, visitor.account_id, webhook_id)


@router.get("/{webhook_id}/change")
async def show_change(request: Request, webhook_id: str, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    webhook = await load(runtime, visitor, webhook_id)
    values = {"name": webhook.name, "url": webhook.url, "events": webhook.events, "onlyNamed": webhook.only_named}
    return render_form(request, visitor, runtime, FilledForm(values), webhook)


@router.post("/{webhook_id}/change")
async def change(request: Request, webhook_id: str, visitor: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    webhook, form = await load(runtime, visitor, webhook_id), read_values(await read_form(request))
    try:
        async with write_as(visitor.caller, runtime) as session:
            wanted = declare(form, enabled=webhook.enabled)
            await stored.replace_webhook(session, runtime, visitor.account_id, webhook_id, wanted)
    except Refused as refused:
        return render_form(request, visitor, runtime, form.refused(refused), webhook, STATUSES[refused.code])
    return redirect(f"{WEBHOOKS}/{webhook_id}", "Webhook saved.")
