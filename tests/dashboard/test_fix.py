"""Correct here: what the page shows of bad values, and the import that its form starts."""

import html
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.conftest import Finish
from tests.dashboard.people import Dashboard
from tests.support import http
from tests.support.http import post

FIELDS = [
    {"id": "sku", "type": "text"},
    {"id": "price", "type": "decimal"},
    {"id": "day", "type": "date"},
    {"id": "stock", "type": "integer"},
]
FILE = b'sku,price,day,stock\nA,"12,50",31.12.2026,<b>\nB,"9,5",30.12.2026,7\nC,1,2026-12-29,<b>\nD,2,2026-12-28,many\n'


@pytest.fixture
async def api(dashboard: Dashboard) -> AsyncIterator[httpx.AsyncClient]:
    """The API of the same service."""
    async with http.client_of(dashboard.app) as client:
        yield client


async def fail(dashboard: Dashboard, api: httpx.AsyncClient, finish: Finish) -> str:
    """An import whose four rows fail."""
    headers = dashboard.account.headers
    await api.put("/types/wares", headers=headers, json={"key": "sku", "fields": FIELDS})
    answer = await post(api, dashboard.account, FILE, name="wares.csv", parts={"type": "wares"})
    await finish(dashboard.runtime, answer.json()["id"])
    return str(answer.json()["id"])


def read_fields(page: str) -> dict[str, str]:
    """The form as a browser would send it: what is filled in and ticked."""
    fields = {}
    for tag in re.findall(r"<input [^>]*>", page.partition("<main")[2]):
        attributes = {name: html.unescape(value) for name, value in re.findall(r' (\w+)="([^"]*)"', tag)}
        if attributes.get("type") != "checkbox" or " checked" in tag:
            fields[attributes["name"]] = attributes.get("value", "")
    return fields


async def test_bad_values_are_corrected_as_the_hints_propose_and_as_somebody_types(
    dashboard: Dashboard, api: httpx.AsyncClient, finish: Finish
) -> None:
    run_id = await fail(dashboard, api, finish)
    own = f"/app/runs/{run_id}"
    shown = (await dashboard.get(own)).text
    assert shown.count(f'href="{own}/fix">Correct here</a>') == 3  # above, and in the groups of two columns

    page = (await dashboard.get(f"{own}/fix")).text
    assert "Numbers in <code>price</code> have a decimal comma." in page
    assert "<b>" not in page.partition("<main")[2]
    fields = read_fields(page)
    (comma,) = [name for name in fields if name.startswith("comma-")]
    (date,) = [name for name, value in fields.items() if value == "DD.MM.YYYY"]
    assert date.startswith("date-")
    place = next(name for name, value in fields.items() if name.startswith("value-") and "<b>" in value)
    cell = next(name for name, value in fields.items() if name.startswith("was-") and "many" in value)
    fields |= {place.replace("value-", "blank-"): "true", cell.replace("was-", "cell-"): "12"}

    started = await dashboard.post(f"{own}/fix", fields)
    assert started.status_code == 303, started.text
    again = await dashboard.post(f"{own}/fix", fields)
    assert again.headers["location"] == started.headers["location"]  # the same form makes one import

    child = started.headers["location"].rpartition("/")[2]
    await finish(dashboard.runtime, child)
    told = (await api.get(f"/imports/{child}", headers=dashboard.account.headers)).json()
    assert (told["parentId"], told["relation"], told["total"], told["created"]) == (run_id, "correction", 4, 4)
    found = (await api.get("/records/wares", headers=dashboard.account.headers)).json()["results"]
    wares = {each["key"]: [each["data"].get(name) for name in ("price", "day", "stock")] for each in found}
    assert wares == {
        "A": [12.5, "2026-12-31", None],
        "B": [9.5, "2026-12-30", 7],
        "C": [1, "2026-12-29", None],
        "D": [2, "2026-12-28", 12],
    }
    assert comma in fields


async def test_a_form_that_cannot_be_taken_comes_back_as_it_was_typed(
    dashboard: Dashboard, api: httpx.AsyncClient, finish: Finish
) -> None:
    run_id = await fail(dashboard, api, finish)
    own = f"/app/runs/{run_id}/fix"
    fields = read_fields((await dashboard.get(own)).text)
    (date,) = [name for name, value in fields.items() if value == "DD.MM.YYYY"]

    wrong = await dashboard.post(own, fields | {date: "DD.MM"})
    assert wrong.status_code == 422
    assert f'href="#{date}">The way dates are written must contain the year' in wrong.text
    assert read_fields(wrong.text)[date] == "DD.MM"
    nothing = await dashboard.post(own, {"once": "x"})
    assert "Say of at least one value, column or cell what it should be" in nothing.text
    viewer = await dashboard.as_role("viewer")
    assert (await viewer.get(own)).status_code == 403
    assert "/fix" not in (await viewer.get(f"/app/runs/{run_id}")).text
    good = await post(api, dashboard.account, b"_email\nana@example.com\n")
    await finish(dashboard.runtime, good.json()["id"])
    assert "No row failed." in (await dashboard.get(f"/app/runs/{good.json()['id']}/fix")).text
