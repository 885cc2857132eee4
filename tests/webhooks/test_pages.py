"""Webhooks in the dashboard: made, tested, sent again, rotated, switched and removed, without JavaScript."""

import re
from collections.abc import AsyncIterator

import pytest
from standardwebhooks.webhooks import Webhook

from tests.dashboard.people import Dashboard, open_dashboard
from tests.support.http import app_on
from tests.webhooks.conftest import Hooked
from tests.webhooks.receiver import answer

LIST = "/app/settings/webhooks"


@pytest.fixture
async def dashboard(hooked: Hooked) -> AsyncIterator[Dashboard]:
    opened = await open_dashboard(hooked.runtime, app_on(hooked.runtime), hooked.account, "admin")
    yield opened
    await opened.close()


def find_secret(page: str) -> str:
    (secret,) = re.findall(r"<code>(whsec_[^<]+)</code>", page)
    return secret.replace("&#43;", "+")


async def test_a_webhook_lives_on_its_pages(hooked: Hooked, dashboard: Dashboard) -> None:
    assert "No webhooks yet" in (await dashboard.get(LIST)).text
    filled = {"name": "Warehouse", "url": hooked.receiver.url, "events": ["run.finished", "run.halted"]}
    made = await dashboard.post(f"{LIST}/new", filled)
    assert made.status_code == 200
    first = find_secret(made.text)
    (own,) = re.findall(rf'href="({LIST}/wh_\w+)"', made.text)
    assert "finished, halted" in (await dashboard.get(LIST)).text
    assert first not in (await dashboard.get(own)).text

    hooked.receiver.answers.append(answer(404))
    run = await hooked.import_file()
    await hooked.deliver()
    page = (await dashboard.get(own)).text
    assert f'href="/app/runs/{run}"' in page
    assert "1 try, the next at <time" in page
    assert "The receiver answered with status 404." in page
    (again,) = re.findall(rf'action="({own}/deliveries/\w+/replay)"', page)
    assert (await dashboard.post(again)).headers["location"] == own
    await hooked.deliver()
    assert "Delivered" in (await dashboard.get(own)).text

    rotated = await dashboard.post(f"{own}/rotate", {"hours": "0"})
    assert "signed with this secret alone" in rotated.text
    await dashboard.post(f"{own}/test")
    await hooked.deliver()
    received = hooked.receiver.received[-1]
    assert Webhook(find_secret(rotated.text)).verify(received.body, received.headers)["type"] == "webhook.test"

    await dashboard.post(f"{own}/disable")
    assert "It is told nothing until it is switched on." in (await dashboard.get(own)).text
    changed = filled | {"name": "Stock", "events": ["run.failed"], "onlyNamed": "true"}
    await dashboard.post(f"{own}/change", changed)
    stored = await hooked.send("GET", own.replace("/app/settings", ""))
    assert (stored["name"], stored["events"], stored["onlyNamed"], stored["enabled"]) == (
        *("Stock", ["run.failed"], True), False,
    )  # fmt: skip
    await dashboard.post(f"{own}/enable")
    assert "Remove this webhook" in (await dashboard.get(f"{own}/delete")).text
    await dashboard.post(f"{own}/delete")
    assert (await dashboard.get(own)).status_code == 404


async def test_what_is_wrong_stands_beside_its_field(hooked: Hooked, dashboard: Dashboard) -> None:
    wrong = await dashboard.post(f"{LIST}/new", {"name": "", "url": "http://example.com"})
    assert wrong.status_code == 422
    for field in ("name", "url", "events"):
        assert f'<a href="#{field}">' in wrong.text
    hook = await hooked.hook()
    late = await dashboard.post(f"{LIST}/{hook}/rotate", {"hours": "999"})
    assert (late.status_code, "must be from 0 to 168" in late.text) == (422, True)
    taken = await dashboard.post(
        f"{LIST}/new", {"name": "Warehouse", "url": "https://a.example", "events": "run.failed"}
    )
    assert (taken.status_code, "already a webhook named" in taken.text) == (409, True)
    viewer = await dashboard.as_role("viewer")
    page = (await viewer.get(f"{LIST}/{hook}")).text
    assert "Send a test" not in page


async def test_a_receiver_that_is_gone_is_told_of_on_its_page(hooked: Hooked, dashboard: Dashboard) -> None:
    hook = await hooked.hook()
    hooked.receiver.answers.append(answer(410))
    await hooked.import_file()
    await hooked.deliver()
    page = (await dashboard.get(f"{LIST}/{hook}")).text
    assert "asks to send nothing any more" in page
    assert "Switch on" in page
