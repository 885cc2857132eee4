"""Messages are sent until they are taken, as often and as late as is said, and nobody waits for a slow receiver."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from app.deliveries.webhooks.outcomes import GIVE_UP_SECONDS, RETRIES
from app.deliveries.webhooks.sending import AT_ONCE, AT_ONCE_TO_ONE, LEASE_SECONDS, MessageSender, prune_messages
from app.storage.webhooks import sending
from app.transports.guard import Guard
from app.vault import build_vault
from tests.faults.arena import until
from tests.transports.servers.server import Certificates
from tests.webhooks.conftest import Hooked
from tests.webhooks.receiver import answer, receiving


async def test_a_message_is_tried_again_at_its_times_under_its_id_and_then_given_up(hooked: Hooked) -> None:
    hook = await hooked.hook()
    hooked.receiver.always = answer(500, body=b"secret text of the receiver")
    await hooked.import_file()
    assert await hooked.deliver() == 1
    for wait in RETRIES:
        assert await hooked.deliver(wait - 1.0) == 0, wait
        assert await hooked.deliver(2.0) == 1, wait
    (delivery,) = await hooked.deliveries(hook)
    assert (delivery["status"], delivery["tries"], delivery["lastStatus"]) == ("failed", 1 + len(RETRIES), 500)
    assert delivery["lastReason"] == "The receiver answered with status 500"
    received = hooked.receiver.received
    assert {each.id for each in received} == {delivery["id"]}
    assert len({each.body for each in received}) == 1
    assert len({each.headers["webhook-signature"] for each in received}) == len(received)
    again = await hooked.send("POST", f"/webhooks/{hook}/deliveries/{delivery['id']}/replay")
    assert again["status"] == "pending"
    assert await hooked.deliver() == 1
    hooked.receiver.always = answer(200)
    assert await hooked.deliver(6) == 1
    (delivery,) = await hooked.deliveries(hook)
    assert (delivery["status"], hooked.receiver.received[-1].id) == ("delivered", delivery["id"])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (answer(302, "location: https://127.0.0.1/elsewhere"), "The receiver answered with a redirect (status 302)"),
        (b"SSH-2.0-OpenSSH\r\n", "The connection was lost"),
        (b"", "The connection was lost"),
    ],
)
async def test_whatever_is_not_a_success_is_tried_again(hooked: Hooked, given: bytes, reason: str) -> None:
    hook = await hooked.hook()
    hooked.receiver.answers.append(given)
    await hooked.import_file()
    await hooked.deliver()
    (delivery,) = await hooked.deliveries(hook)
    assert (delivery["status"], delivery["tries"]) == ("pending", 1)
    assert delivery["lastReason"].startswith(reason)
    assert await hooked.deliver(6) == 1
    assert (await hooked.deliveries(hook))[0]["status"] == "delivered"


async def test_a_receiver_that_is_gone_gets_nothing_more_until_somebody_wants_it(hooked: Hooked) -> None:
    hook = await hooked.hook()
    hooked.receiver.answers.append(answer(410))
    await hooked.import_file()
    await hooked.deliver()
    shown = await hooked.send("GET", f"/webhooks/{hook}")
    assert (shown["enabled"], shown["disabledBecause"]) == (False, "gone")
    await hooked.import_file()
    assert await hooked.deliver(10**6) == 0
    assert [each["status"] for each in await hooked.deliveries(hook)] == ["failed"]
    await hooked.test(hook)
    assert await hooked.deliver() == 1
    shown = await hooked.send("PUT", f"/webhooks/{hook}", **(shown | {"enabled": True}))
    assert shown["enabled"]
    assert "disabledBecause" not in shown
    await hooked.import_file()
    assert await hooked.deliver() == 1


async def test_a_receiver_that_is_busy_is_left_alone_for_as_long_as_it_asks(hooked: Hooked) -> None:
    hook = await hooked.hook()
    hooked.receiver.answers.append(answer(503, "retry-after: 900"))
    await hooked.import_file()
    await hooked.deliver()
    await hooked.import_file()
    assert await hooked.deliver(880) == 0
    assert (await hooked.send("GET", f"/webhooks/{hook}"))["troubles"] == 1
    assert await hooked.deliver(30) == 2
    shown = await hooked.send("GET", f"/webhooks/{hook}")
    assert (shown["troubles"], "restingUntil" in shown) == (0, False)


async def test_what_may_not_be_called_is_never_reached(hooked: Hooked) -> None:
    hook = await hooked.hook()
    await hooked.import_file()
    runtime = hooked.runtime
    hooked.runtime = replace(runtime, transfer_policy=replace(runtime.transfer_policy, guard=Guard()))
    await hooked.deliver()
    (delivery,) = await hooked.deliveries(hook)
    assert delivery["lastReason"].startswith("The host name is unknown, or its address is one that this service is not")
    hooked.runtime = replace(runtime, vault=build_vault("", "another secret key, which opens nothing"))
    await hooked.deliver(10)
    assert "cannot be decrypted" in (await hooked.deliveries(hook))[0]["lastReason"]
    assert hooked.receiver.received == []


async def test_an_answer_that_never_ends_counts_by_its_status(hooked: Hooked) -> None:
    hook = await hooked.hook()
    hooked.receiver.answers.append(answer(200).replace(b"content-length: 0", b"x: y") + b"x" * 1_000_000)
    await hooked.import_file()
    await hooked.deliver()
    assert (await hooked.deliveries(hook))[0]["status"] == "delivered"


async def test_a_slow_receiver_holds_up_nobody_else(hooked: Hooked, certificates: Certificates) -> None:
    """More messages wait for the slow one than a worker sends at a time."""
    slow = await hooked.hook()
    await fill(hooked, slow, 2 * AT_ONCE)
    hooked.receiver.held.clear()
    async with AsyncExitStack() as stack:
        quick = await stack.enter_async_context(receiving(certificates.server()))
        other = await hooked.hook(name="Quick", url=quick.url)
        sender, group = MessageSender(hooked.runtime), await stack.enter_async_context(asyncio.TaskGroup())
        assert await sender.send_due(group) == AT_ONCE_TO_ONE
        await fill(hooked, other, 30)
        await until(lambda: hooked.receiver.at_once == AT_ONCE_TO_ONE, "the slow receiver is not busy")
        assert await MessageSender(hooked.runtime).send_due(group) == AT_ONCE_TO_ONE
        await until(lambda: len(quick.received) == AT_ONCE_TO_ONE, "the quick receiver gets nothing")
        assert hooked.receiver.most_at_once == AT_ONCE_TO_ONE
        hooked.receiver.held.set()


async def test_the_receiver_that_is_sent_the_fewest_comes_first(hooked: Hooked) -> None:
    busy, other = await hooked.hook(), await hooked.hook(name="Other")
    await fill(hooked, busy, 10)
    await fill(hooked, other, 1)
    await hooked.sql(
        "UPDATE webhook_deliveries SET due_at = due_at - interval '1 hour' WHERE webhook_id = :id", id=busy
    )

    async def take(limit: int) -> list[str]:
        async with hooked.runtime.database.transaction() as session:
            now = await hooked.runtime.now(session)
            taken = await sending.take(session, now, by_hand=[], of_one=20, lease=40, limit=limit)
        return [row["webhook_id"] for row in taken]

    assert sorted(await take(2)) == sorted([busy, other])
    assert await take(3) == [busy] * 3
    await fill(hooked, other, 1, "again")
    assert await take(1) == [other]


async def test_a_dead_receiver_is_tried_with_one_message_at_a_time(hooked: Hooked) -> None:
    hook = await hooked.hook()
    await fill(hooked, hook, 30)
    hooked.receiver.always = answer(503)
    first = MessageSender(hooked.runtime)
    async with asyncio.TaskGroup() as group:
        assert await first.send_due(group) == AT_ONCE_TO_ONE
    assert (await hooked.send("GET", f"/webhooks/{hook}"))["troubles"] == 1
    async with asyncio.TaskGroup() as group:
        assert await first.send_due(group) == 0
    for troubles, rest in ((2, 6), (3, 21), (4, 81)):
        assert await hooked.deliver(rest) == 1
        assert (await hooked.send("GET", f"/webhooks/{hook}"))["troubles"] == troubles
    hooked.receiver.always = answer(200)
    assert await hooked.deliver(400) == 30


async def fill(hooked: Hooked, hook: str, messages: int, name: str = "") -> None:
    statement = """
    INSERT INTO webhook_deliveries (id, account_id, webhook_id, event, data, begun_at, due_at, created_at)
    SELECT :hook || :name || n, :account, :hook, 'run.finished', '{}', now(), now(), now()
    FROM generate_series(1, :messages) n"""
    await hooked.sql(statement, hook=hook, account=hooked.account.id, messages=messages, name=name)


async def test_several_workers_share_the_messages_and_each_is_sent_once(hooked: Hooked) -> None:
    await fill(hooked, await hooked.hook(), 60)
    await asyncio.gather(*(hooked.deliver() for _ in range(4)))
    assert len(hooked.receiver.received) == 60
    assert len({each.id for each in hooked.receiver.received}) == 60
    assert hooked.receiver.most_at_once <= AT_ONCE_TO_ONE


async def test_what_a_worker_had_when_it_died_is_sent_by_another_under_the_same_id(hooked: Hooked) -> None:
    hook = await hooked.hook()
    await hooked.import_file()
    hooked.receiver.held.clear()

    async def die() -> None:
        async with asyncio.TaskGroup() as group:
            await MessageSender(hooked.runtime).send_due(group)

    dying = asyncio.create_task(die())
    await until(lambda: bool(hooked.receiver.received), "nothing is sent")
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    hooked.receiver.held.set()
    assert await hooked.deliver(LEASE_SECONDS - 5) == 0
    assert await hooked.deliver(10) == 1
    assert len({each.id for each in hooked.receiver.received}) == 1
    assert [(each["status"], each["tries"]) for each in await hooked.deliveries(hook)] == [("delivered", 2)]


async def test_what_waits_for_too_long_is_given_up_and_what_is_old_is_deleted(hooked: Hooked) -> None:
    hook = await hooked.hook()
    await hooked.import_file()
    await hooked.send("PUT", f"/webhooks/{hook}", name="Off", url=hooked.receiver.url, enabled=False)
    hooked.clock.ahead += GIVE_UP_SECONDS + 60
    await prune_messages(hooked.runtime)
    (delivery,) = await hooked.deliveries(hook)
    assert (delivery["status"], delivery["lastReason"]) == ("failed", "It could not be delivered for four days")
    await hooked.sql("UPDATE webhook_deliveries SET ended_at = now() - interval '31 days'")
    await prune_messages(hooked.runtime)
    assert await hooked.deliveries(hook) == []
