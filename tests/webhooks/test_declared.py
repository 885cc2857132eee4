"""Webhooks as an account declares them: what is refused, what is shown, and who may do what."""

from typing import Any

import pytest

from app.deliveries.webhooks.stored import MOST_WEBHOOKS
from tests.conftest import NewAccount
from tests.support.http import app_on, client_of
from tests.webhooks.conftest import Hooked

URL = "https://example.com/hook"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"name": "A", "url": "http://example.com/hook"}, ["url"]),
        ({"name": "A", "url": "https://user:password@example.com/"}, ["url"]),
        ({"name": "A", "url": "https://example.com:25/"}, ["url"]),
        ({"name": "A", "url": f"https://example.com/{'x' * 2_048}"}, ["url"]),
        ({"name": "A\nB", "url": "ftp://example.com", "events": ["run.started"]}, ["name", "url", "events"]),
        ({"name": "A", "url": URL, "events": []}, ["events"]),
        ({"name": "A", "url": URL, "secret_": "x"}, ["secret_"]),
        ({"url": URL}, ["name"]),
    ],
)
async def test_everything_that_is_wrong_is_named(hooked: Hooked, body: dict[str, Any], wrong: list[str]) -> None:
    refused = await hooked.api.post("/webhooks", json=body)
    assert refused.status_code == 422
    assert [each["path"] for each in refused.json()["errors"]] == wrong


async def test_a_webhook_can_be_sent_back_and_its_secret_is_shown_once(hooked: Hooked) -> None:
    made = await hooked.send("POST", "/webhooks", 201, name="One", url=URL, events=["run.failed", "run.halted"])
    assert made["secret"].startswith("whsec_")
    shown = await hooked.send("GET", f"/webhooks/{made['id']}")
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert shown["events"] == ["run.failed", "run.halted"]
    assert await hooked.send("PUT", f"/webhooks/{made['id']}", **shown) | {"updatedAt": ""} == shown | {"updatedAt": ""}
    taken = await hooked.send("POST", "/webhooks", 409, name="One", url=URL)
    assert taken["detail"] == 'There is already a webhook named "One"'
    await hooked.send("DELETE", f"/webhooks/{made['id']}", 204)
    assert (await hooked.send("GET", "/webhooks"))["results"] == []
    await hooked.send("POST", f"/webhooks/{made['id']}/test", 404)
    await hooked.send("POST", f"/webhooks/{made['id']}/rotate", 404)


async def test_there_are_only_so_many(hooked: Hooked) -> None:
    copied = """
    INSERT INTO webhooks (id, account_id, name, url, events, secret, created_at, updated_at)
    SELECT 'wh_' || n, CAST(:account AS integer), n, 'https://example.com', '{}', '', now(), now()
    FROM generate_series(1, :most) n"""
    await hooked.sql(copied, account=hooked.account.id, most=MOST_WEBHOOKS)
    await hooked.send("POST", "/webhooks", 422, name="One more", url=URL)


async def test_plain_http_is_for_those_whose_operator_allows_it(hooked: Hooked) -> None:
    async with client_of(app_on(hooked.runtime, webhook_http=True)) as lenient:
        made = await lenient.post(
            "/webhooks", json={"name": "A", "url": "http://127.0.0.1:9000/"}, headers=hooked.api.headers
        )
    assert made.status_code == 201
    await hooked.test(made.json()["id"])
    await hooked.deliver()
    (delivery,) = await hooked.deliveries(made.json()["id"])
    assert (delivery["status"], delivery["tries"]) == ("failed", 1)
    assert delivery["lastReason"].startswith("`url` must begin with `https://`")


async def test_what_was_sent_is_listed_page_by_page(hooked: Hooked) -> None:
    hook = await hooked.hook()
    made = [await hooked.test(hook) for _ in range(3)]
    page = await hooked.send("GET", f"/webhooks/{hook}/deliveries?limit=2")
    rest = await hooked.send("GET", page["links"]["next"].removeprefix("http://sluice.test"))
    assert [each["id"] for each in (*page["results"], *rest["results"])] == made[::-1]
    assert "next" not in rest["links"]
    one = await hooked.send("GET", f"/webhooks/{hook}/deliveries/{made[0]}")
    assert (one["event"], one["status"], one["tries"]) == ("webhook.test", "pending", 0)


async def test_scopes_and_accounts_keep_webhooks_apart(hooked: Hooked, a_key: NewAccount) -> None:
    hook = await hooked.hook()
    message = await hooked.test(hook)
    reader = await a_key(scopes=["webhooks:read"], name=hooked.account.name)
    stranger = await a_key()
    for method, path in (
        ("PUT", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test"), ("POST", f"/deliveries/{message}/replay"),
    ):  # fmt: skip
        body = {"name": "A", "url": URL} if method == "PUT" else None
        answers = [
            (await hooked.api.request(method, f"/webhooks/{hook}{path}", json=body, headers=each.headers)).status_code
            for each in (reader, stranger)
        ]
        assert answers == [403, 404], path
    for path in ("", "/deliveries", f"/deliveries/{message}"):
        answers = [
            (await hooked.api.get(f"/webhooks/{hook}{path}", headers=each.headers)).status_code
            for each in (reader, stranger)
        ]
        assert answers == [200, 404], path
    elsewhere = await hooked.api.post(
        "/exports", json={"type": "contacts", "webhookId": hook}, headers=stranger.headers
    )
    assert elsewhere.status_code == 422
