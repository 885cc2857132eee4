"""What webhooks are told: of which runs, in which words, and signed so that others can verify it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.dashboard.views.webhooks.lines import EVENT_SENTENCES, EVENT_WORDS
from app.deliveries.webhooks.webhook import MEANINGS, SUBSCRIBABLE, TEST
from app.runs.states import ENDED, HELD
from app.storage.access import sealed
from tests.support.http import CONTACTS
from tests.webhooks.conftest import Hooked

HALF = b"_email,_points\njohn@example.org,1\nsteve@example.org,many\n"
EVERYTHING_FAILS = {"maxErrors": "0"}


def verify(received: Any, secret: str) -> Any:
    return Webhook(secret).verify(received.body, received.headers)


def test_every_state_that_somebody_may_wait_for_is_an_event() -> None:
    told = {f"run.{state}" for state in ENDED | HELD}
    assert set(SUBSCRIBABLE) == set(MEANINGS) == set(EVENT_SENTENCES) == set(EVENT_WORDS) - {TEST} == told


async def test_the_end_of_an_import_is_told_as_anybody_can_verify(hooked: Hooked) -> None:
    hook = await hooked.hook()
    run = await hooked.import_file(HALF, name="Nightly")
    assert await hooked.deliver() == 1
    (received,) = hooked.receiver.received
    assert received.headers["content-type"] == "application/json"
    message = verify(received, hooked.secrets[hook])
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").verify(received.body, received.headers)
    data = message["data"]
    assert (message["type"], data["id"], data["status"], data["name"]) == ("run.finished", run, "finished", "Nightly")
    assert {name: data[name] for name in ("total", "created", "failed", "remaining")} == {
        "total": 2, "created": 1, "failed": 1, "remaining": 0,
    }  # fmt: skip
    assert data["links"] == {"self": f"/runs/{run}", "details": f"/imports/{run}"}
    assert b"example.org" not in received.body
    assert datetime.fromisoformat(message["timestamp"]) <= datetime.now(UTC)
    (delivery,) = await hooked.deliveries(hook)
    expected = {"id": received.id, "event": "run.finished", "runId": run, "status": "delivered", "tries": 1}
    assert delivery | expected == delivery
    assert delivery["lastStatus"] == 204
    assert await hooked.deliver(10**6) == 0
    assert b'sluice_webhook_messages_total{status="delivered"}' in hooked.runtime.observe.metrics.text()


async def test_each_thing_that_becomes_of_a_run_is_told_once_and_to_those_who_want_it(hooked: Hooked) -> None:
    await hooked.hook(events=["run.halted", "run.cancelled"])
    await hooked.hook(name="Ends", url=hooked.receiver.url + "/ends", events=["run.finished", "run.failed"])
    first = await hooked.import_file(HALF, **EVERYTHING_FAILS)
    second = await hooked.import_file(HALF, **EVERYTHING_FAILS)
    await hooked.send("POST", f"/runs/{first}/resume")
    await hooked.work(first)
    await hooked.send("POST", f"/runs/{second}/cancel")
    third = (await hooked.api.post("/imports", headers=hooked.account.headers, data={
        "type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false",
    }, files={"file": ("a.csv", CONTACTS)})).json()["id"]  # fmt: skip
    await hooked.sql("UPDATE runs SET blob = 'gone' WHERE id = :id", id=third)
    await hooked.work(third)
    await hooked.deliver()
    told = sorted((each.path, each.message["type"], each.message["data"]["id"]) for each in hooked.receiver.received)
    assert told == sorted([
        ("/hook", "run.halted", first), ("/hook", "run.halted", second), ("/hook", "run.cancelled", second),
        ("/hook/ends", "run.finished", first), ("/hook/ends", "run.failed", third),
    ])  # fmt: skip
    halted = next(each.message["data"] for each in hooked.receiver.received if each.message["type"] == "run.halted")
    assert halted["failure"]["code"] == "brake"
    assert halted["links"]["resume"] == f"/runs/{halted['id']}/resume"
    assert len({each.id for each in hooked.receiver.received}) == 5


async def test_a_run_may_name_a_webhook_and_its_rerun_names_it_too(hooked: Hooked) -> None:
    hook = await hooked.hook(onlyNamed=True)
    await hooked.import_file()
    named = await hooked.import_file(webhookId=hook)
    again = await hooked.api.post(f"/imports/{named}/rerun", files={"file": ("b.csv", CONTACTS)})
    await hooked.work(again.json()["id"])
    body = await hooked.api.post(
        f"/imports?type=contacts&webhookId={hook}", content=CONTACTS, headers={"content-type": "text/csv"}
    )
    await hooked.work(body.json()["id"])
    exported = await hooked.send("POST", "/exports", 201, type="contacts", webhookId=hook)
    await hooked.work(exported["id"])
    await hooked.deliver()
    assert {each.message["data"]["id"] for each in hooked.receiver.received} == {
        named, again.json()["id"], body.json()["id"], exported["id"],
    }  # fmt: skip


async def test_only_what_a_caller_names_has_to_be_there(hooked: Hooked) -> None:
    refused = await hooked.api.post("/imports", headers=hooked.account.headers, data={
        "type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false",
        "webhookId": "wh_1",
    }, files={"file": ("a.csv", CONTACTS)})  # fmt: skip
    assert (refused.status_code, refused.json()["detail"]) == (422, 'There is no webhook "wh_1"')
    hook, nightly = await hooked.hook(), {"name": "Nightly", "kind": "export", "cron": "0 1 * * *"}
    wanted = {"type": "contacts", "webhookId": "wh_1"}
    refused = await hooked.api.post("/schedules", json={**nightly, "request": wanted})
    assert refused.status_code == 422
    await hooked.send("POST", "/schedules", 201, **nightly, request={**wanted, "webhookId": hook})
    run = await hooked.import_file(webhookId=hook)
    await hooked.send("DELETE", f"/webhooks/{hook}", 204)
    again = await hooked.api.post(f"/imports/{run}/rerun", files={"file": ("b.csv", CONTACTS)})
    assert again.status_code == 201


async def test_two_secrets_sign_while_one_replaces_the_other(hooked: Hooked) -> None:
    hook = await hooked.hook()
    old = hooked.secrets[hook]
    new = (await hooked.send("POST", f"/webhooks/{hook}/rotate", oldSecretHours=2))["secret"]
    assert new != old
    await hooked.test(hook)
    await hooked.deliver()
    for secret in (old, new):
        assert verify(hooked.receiver.received[0], secret)["type"] == "webhook.test"
    hooked.clock.ahead += 2 * 3_600
    await hooked.test(hook)
    await hooked.deliver()
    headers = hooked.receiver.received[1].headers
    assert headers["webhook-signature"].count("v1,") == 1
    (sealed,) = await hooked.sql("SELECT secret FROM webhooks WHERE id = :id", id=hook)
    assert new.encode() not in bytes(sealed["secret"])


async def test_sluice_vault_rotate_finds_the_secrets(hooked: Hooked) -> None:
    hook = await hooked.hook()
    async with hooked.runtime.database.transaction() as session:
        (row,) = await sealed.list_after(session, "webhooks", "", limit=10)
        assert await sealed.replace(session, "webhooks", row, hooked.runtime.vault.reseal(row.secret))
    await hooked.test(hook)
    await hooked.deliver()
    assert verify(hooked.receiver.received[0], hooked.secrets[hook])["data"] == {"webhookId": hook, "name": "Warehouse"}
