"""Webhooks: where an account is told that its runs have ended, and what was sent there."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from app.deliveries.webhooks import history, stored
from app.deliveries.webhooks.declaration import WebhookDeclaration
from app.runtime import Runtime
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.webhooks import render_delivery, render_new_webhook, render_webhook
from app.surfaces.native.wire.declared.webhooks import (
    ROTATION_BODY,
    WEBHOOK_BODY,
    DeliveryQueryParameters,
    NewWebhook,
    RotationBody,
    Webhook,
    WebhookBody,
    WebhookDelivery,
    WebhookDeliveryList,
    WebhookList,
)
from app.surfaces.native.wire.shape import Links
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadWebhooks, MayWriteWebhooks, OpenRuntime, write_as
from app.web.links import link_to_same_path
from app.web.refusals import refusals
from app.web.runs.reading import decode_run_cursor, encode_run_cursor
from app.web.surface import parse_shape

# What an answer adds to a webhook, so that an answer can be sent back as it is.
ADDED = frozenset(("id", "disabledBecause", "troubles", "restingUntil", "createdAt", "updatedAt", "secret"))

router = build_router("/webhooks", "webhooks")


@router.get("", response_model=WebhookList, responses=refusals(401, 403, 503))
async def list_webhooks(caller: MayReadWebhooks, runtime: OpenRuntime) -> Response:
    """List the account's webhooks, ordered by name, without their secrets."""
    async with runtime.database.read() as session:
        found = await stored.list_webhooks(session, caller.account_id)
    results = [render_webhook(each) for each in found]
    return Response(WebhookList(links=Links(), results=results).encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=NewWebhook,
    responses=refusals(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=WEBHOOK_BODY,
)
async def create_webhook(request: Request, caller: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    """Have an address told when runs have ended or are held. The secret is in this answer, and nowhere else.

    Messages are signed as Standard Webhooks describes it, and sent until the receiver answers with 2xx.
    """
    wanted = await read_declaration(request, runtime)
    async with write_as(caller, runtime) as session:
        created, secret = await stored.create_webhook(session, runtime, caller.account_id, wanted)
    return Response(render_new_webhook(created, secret).encoded(), 201, media_type=translate.JSON)


async def read_declaration(request: Request, runtime: Runtime) -> WebhookDeclaration:
    sent = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    body = parse_shape(WebhookBody, {member: value for member, value in sent.items() if member not in ADDED})
    return WebhookDeclaration(body.name, body.url, body.events, body.only_named, body.enabled)


@router.get("/{webhook_id}", response_model=Webhook, responses=refusals(401, 403, 404, 503))
async def get_webhook(webhook_id: str, caller: MayReadWebhooks, runtime: OpenRuntime) -> Response:
    """Read a webhook, without its secret. It can be sent back as it is."""
    async with runtime.database.read() as session:
        found = await stored.load_webhook(session, caller.account_id, webhook_id)
    return Response(render_webhook(found).encoded(), media_type=translate.JSON)


@router.put(
    "/{webhook_id}",
    response_model=Webhook,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=WEBHOOK_BODY,
)
async def put_webhook(request: Request, webhook_id: str, caller: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    """Replace a webhook, or switch it on and off. Its secret stays, and what waits is sent to the new address."""
    async with runtime.database.read() as session:  # what is not there is refused before the body is read
        await stored.load_webhook(session, caller.account_id, webhook_id)
    wanted = await read_declaration(request, runtime)
    async with write_as(caller, runtime) as session:
        replaced = await stored.replace_webhook(session, runtime, caller.account_id, webhook_id, wanted)
    return Response(render_webhook(replaced).encoded(), media_type=translate.JSON)


@router.delete("/{webhook_id}", status_code=204, responses=refusals(401, 403, 404, 503))
async def delete_webhook(webhook_id: str, caller: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    """Delete a webhook, with everything that was, or was to be, sent to it."""
    async with write_as(caller, runtime) as session:
        await stored.delete_webhook(session, caller.account_id, webhook_id)
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/rotate",
    response_model=NewWebhook,
    responses=refusals(400, 401, 403, 404, 413, 415, 422, 503),
    openapi_extra=ROTATION_BODY,
)
async def rotate_webhook(request: Request, webhook_id: str, caller: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    """Give a webhook a new secret. For a while messages have two signatures, one with each secret."""
    sent = await read_json_object(request, idle=runtime.settings.upload_idle_seconds, optional=True)
    body = parse_shape(RotationBody, sent)
    async with write_as(caller, runtime) as session:
        rotated, secret = await stored.rotate_secret(
            session, runtime, caller.account_id, webhook_id, old_hours=body.old_secret_hours
        )
    return Response(render_new_webhook(rotated, secret).encoded(), media_type=translate.JSON)


@router.post(
    "/{webhook_id}/test", status_code=201, response_model=WebhookDelivery, responses=refusals(401, 403, 404, 503)
)
async def test_webhook(webhook_id: str, caller: MayWriteWebhooks, runtime: OpenRuntime) -> Response:
    """Send a message of the type webhook.test, once, also to a webhook that is disabled.

    A worker sends it at once: read the delivery until it is not `pending` any more.
    """
    async with write_as(caller, runtime) as session:
        made = await history.test_webhook(session, runtime, caller.account_id, webhook_id)
    return Response(render_delivery(made).encoded(), 201, media_type=translate.JSON)


@router.get("/{webhook_id}/deliveries", response_model=WebhookDeliveryList, responses=refusals(401, 403, 404, 422, 503))
async def list_deliveries(
    request: Request,
    webhook_id: str,
    caller: MayReadWebhooks,
    runtime: OpenRuntime,
    query: Annotated[DeliveryQueryParameters, Query()],
) -> Response:
    """List what was, or is to be, sent to a webhook, newest first."""
    after = decode_run_cursor(query.cursor)
    async with runtime.database.read() as session:
        found, more = await history.list_deliveries(
            session, caller.account_id, webhook_id, after=after, limit=query.limit
        )
    links = Links()
    if more:
        following = {"limit": query.limit, "cursor": encode_run_cursor(found[-1])}
        links = Links(next=link_to_same_path(request, runtime, **following))
    results = [render_delivery(each) for each in found]
    return Response(WebhookDeliveryList(links=links, results=results).encoded(), media_type=translate.JSON)


@router.get(
    "/{webhook_id}/deliveries/{delivery_id}", response_model=WebhookDelivery, responses=refusals(401, 403, 404, 503)
)
async def get_delivery(webhook_id: str, delivery_id: str, caller: MayReadWebhooks, runtime: OpenRuntime) -> Response:
    """Read how far a message is."""
    async with runtime.database.read() as session:
        found = await history.load_delivery(session, caller.account_id, webhook_id, delivery_id)
    return Response(render_delivery(found).encoded(), media_type=translate.JSON)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay",
    response_model=WebhookDelivery,
    responses=refusals(401, 403, 404, 503),
)
async def replay_delivery(
    webhook_id: str, delivery_id: str, caller: MayWriteWebhooks, runtime: OpenRuntime
) -> Response:
    """Send a message again, under the same id. One that is pending is tried at once."""
    async with write_as(caller, runtime) as session:
        again = await history.replay_delivery(session, runtime, caller.account_id, webhook_id, delivery_id)
    return Response(render_delivery(again).encoded(), media_type=translate.JSON)
