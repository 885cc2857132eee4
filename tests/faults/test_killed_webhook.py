"""A worker is killed after it has ended an import, and again after it has sent what a webhook is told: the message is
sent until that is stored, and under one id."""

import signal
from dataclasses import replace

import pytest

from app.deliveries.webhooks.declaration import WebhookDeclaration
from app.deliveries.webhooks.stored import create_webhook
from tests.faults.arena import Arena, until
from tests.webhooks.receiver import receiving

pytestmark = pytest.mark.asyncio

EXPIRE = "UPDATE webhook_deliveries SET lease_until = now(), due_at = now() WHERE lease_until > now()"


async def test_a_message_outlives_the_workers_that_send_it(arena: Arena) -> None:
    settings = arena.runtime.settings.model_copy(update={"webhook_http": True})
    runtime = replace(arena.runtime, settings=settings)
    async with receiving() as receiver:
        async with runtime.database.transaction() as session:
            await create_webhook(session, runtime, arena.account_id, WebhookDeclaration("A", receiver.url))
        run = await arena.submit("_email\njohn@example.org\n")
        for step in ("RunEnded", "WebhookSent"):
            worker = arena.worker(f"{step}:1:kill", webhook_http=True)
            assert await worker.ended() == -signal.SIGKILL, arena.told()
            await arena.ask(EXPIRE)  # the lease runs out
        assert len(receiver.received) == 1
        arena.worker(webhook_http=True)

        async def is_delivered() -> bool:
            return [each["state"] for each in await arena.ask("SELECT state FROM webhook_deliveries")] == ["delivered"]

        await until(is_delivered, f"the message is not delivered\n{arena.told()}")
        assert [each.message["data"]["id"] for each in receiver.received] == [run.id] * 2
        assert len({each.id for each in receiver.received}) == 1
