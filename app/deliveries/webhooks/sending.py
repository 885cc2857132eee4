"""Sends the messages of webhooks that are due: several at a time, fair among receivers, at least once each.

A worker that dies while it sends leaves a lease, and once that has run out another one sends the message again, under
the same id.
"""

import asyncio
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from app.deliveries.webhooks.declaration import find_url_mistake
from app.deliveries.webhooks.delivery import build_body
from app.deliveries.webhooks.outcomes import GIVE_UP_SECONDS, LOCKED, TOO_OLD, Outcome, find_wait, judge
from app.deliveries.webhooks.secrets import open_secrets, sign
from app.deliveries.webhooks.webhook import TEST
from app.errors import Retryable
from app.observe.events import HousekeepingFailed
from app.observe.logs import error_kind
from app.observe.traces import TracedRun, Traces
from app.observe.webhook_events import WebhookDelivered, WebhookDisabled, WebhookNotDelivered, WebhookSent
from app.runtime import Runtime
from app.storage.database import Session
from app.storage.webhooks import deliveries, sending
from app.transports import post
from app.transports.failed import TransportFailed
from app.vault import VaultError

AT_ONCE: Final = 100  # messages of one worker
AT_ONCE_TO_ONE: Final = 20  # of all workers, to one webhook
SEND_SECONDS: Final = 15.0  # for one message, from the lookup to the answer
LEASE_SECONDS: Final = 2 * SEND_SECONDS + 10  # and some for the database
GATHER_SECONDS: Final = 0.05  # in which messages that end at about the same time make room together
LOOK_SECONDS: Final = 1.0
OWN_TROUBLE_SECONDS: Final = 5.0  # until a message is tried again that this machine could not send
FIRST_REST, REST_FACTOR, LONGEST_REST = 5.0, 4.0, 300.0  # seconds that a receiver in trouble is left alone
NOTES_AT_ONCE: Final = 2  # connections to the database that what becomes of messages may take
MOST_OLD: Final = 500  # messages given up, or deleted, in one go


class MessageSender:
    """The messages of one worker that are under way."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._under_way = 0
        self._ended = asyncio.Event()
        self._notes = asyncio.Semaphore(NOTES_AT_ONCE)

    async def send_due(self, group: asyncio.TaskGroup) -> int:
        """Begins to send messages that are due, as tasks of the group, and returns how many. Raises Retryable."""
        self._ended.clear()
        room = AT_ONCE - self._under_way
        if room <= 0:
            return 0
        async with self._runtime.database.transaction() as session:
            now = await self._runtime.now(session)
            rows = await sending.take(
                session, now, by_hand=[TEST], of_one=AT_ONCE_TO_ONE, lease=LEASE_SECONDS, limit=room
            )
        for row in rows:
            self._under_way += 1
            group.create_task(self._send_one(row, now))
        return len(rows)

    async def wait(self) -> None:
        """Until there is room again, or it is time to look."""
        try:
            await asyncio.wait_for(self._ended.wait(), LOOK_SECONDS)
        except TimeoutError:
            return
        await asyncio.sleep(GATHER_SECONDS)

    async def _send_one(self, row: Any, now: datetime) -> None:
        try:
            with tracing_message(self._runtime.observe.traces, row):
                await self._deliver(row, now)
        except Exception as error:  # noqa: BLE001  whatever it is, the others go on, and the lease runs out
            self._runtime.observe(HousekeepingFailed("webhooks", error_kind(error)))
        finally:
            self._under_way -= 1
            self._ended.set()

    async def _deliver(self, row: Any, now: datetime) -> None:
        try:
            outcome = await send(self._runtime, row, now)
        except Retryable:  # this machine has no descriptor, port or memory left
            async with self._notes, self._runtime.database.transaction() as session:
                later = await self._runtime.now(session)
                await sending.put_back(session, row["id"], row["tries"], now=later, wait=OWN_TROUBLE_SECONDS)
            return
        self._runtime.observe(WebhookSent(row["id"]))
        async with self._notes, self._runtime.database.transaction() as session:
            noted = await note(session, row, outcome, await self._runtime.now(session))
        announce(self._runtime, row, outcome, noted=noted)


def tracing_message(traces: Traces, row: Any) -> AbstractContextManager[None]:
    """A span of the run of which the message tells; a message of a test tells of none."""
    if row["run_id"] is None:
        return nullcontext()
    return traces.part(TracedRun(row["run_id"], row["event"], row["traceparent"]), f"webhook {row['event']}")


async def send(runtime: Runtime, row: Any, now: datetime) -> Outcome:
    """One try. Raises Exhausted."""
    base = (runtime.settings.public_url or "").rstrip("/")
    body = build_body(row["event"], row["created_at"], row["data"], base)
    if mistake := find_url_mistake(row["url"], plain=runtime.settings.webhook_http):  # the setting was changed since
        return Outcome(None, mistake)
    try:
        secrets = open_secrets(runtime.vault, row["account_id"], row["webhook_id"], row["secret"])
        headers = {
            "content-type": "application/json",
            "user-agent": "Sluice",
            "webhook-id": row["id"],
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": sign(secrets, row["id"], now, body),
        }
        policy = replace(runtime.policy_for(row["account_id"]), connect_seconds=SEND_SECONDS)
        return judge(await post(row["url"], body, headers, policy, seconds=SEND_SECONDS))
    except VaultError:
        return Outcome(None, LOCKED)
    except TransportFailed as failed:
        return Outcome(None, failed.detail, troubled=True)


async def note(session: Session, row: Any, outcome: Outcome, now: datetime) -> bool:
    """Stores what has become of a try. False if another worker has the message by now."""
    delivery_id, webhook_id, tries = row["id"], row["webhook_id"], row["tries"]
    if outcome.reason is None:
        await sending.mark_delivered(session, delivery_id, tries, now=now, status=outcome.status or 0)
        return True
    wait = find_wait(outcome, row["event"], row["step"])
    failed = await sending.mark_failed(
        session, delivery_id, tries, now=now, status=outcome.status, reason=outcome.reason, wait=wait
    )
    if failed and outcome.final:
        await sending.disable(session, webhook_id, code="gone")
    if failed and outcome.troubled:
        await sending.rest(
            session,
            webhook_id,
            now=now,
            least=outcome.asked,
            first=FIRST_REST,
            factor=REST_FACTOR,
            longest=LONGEST_REST,
        )
    return failed


def announce(runtime: Runtime, row: Any, outcome: Outcome, *, noted: bool) -> None:
    """Logs and counts a try. What another worker has by now is counted by it."""
    if not noted:
        return
    ids = (row["id"], row["webhook_id"], row["account_id"], row["event"])
    if outcome.reason is None:
        runtime.observe(WebhookDelivered(*ids, outcome.status or 0, row["tries"]))
        return
    status = "pending" if find_wait(outcome, row["event"], row["step"]) is not None else "failed"
    runtime.observe(WebhookNotDelivered(*ids, outcome.status, row["tries"], status))
    if outcome.final:
        runtime.observe(WebhookDisabled(row["webhook_id"], row["account_id"], "gone"))


async def prune_messages(runtime: Runtime) -> None:
    """Gives up messages that have waited for too long, and deletes those past their retention. Raises Retryable."""
    async with runtime.database.transaction() as session:
        now = await runtime.now(session)
        old = await sending.give_up_old(session, now, reason=TOO_OLD, seconds=GIVE_UP_SECONDS, limit=MOST_OLD)
        await deliveries.delete_old(session, days=runtime.settings.webhook_days, limit=MOST_OLD)
    for row in old:
        ids = (row["id"], row["webhook_id"], row["account_id"], row["event"])
        runtime.observe(WebhookNotDelivered(*ids, None, row["tries"], "failed"))
