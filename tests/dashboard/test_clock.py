"""Pages of schedules and feeds: made by their forms, changed, paused, and refused in the words of the API."""

import re
import shlex
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.dashboard.script import write_curl
from app.dashboard.views.clock.rhythm import Rhythm, describe_cron, describe_upcoming, read_cron
from app.runtime import Runtime
from tests.dashboard.people import Dashboard
from tests.surfaces.native.test_item_syncs import connection

WHEN = {"rhythm": "weekdays", "time": "2:30", "cron": "", "timezone": "Europe/Amsterdam"}


def fields(page: str) -> dict[str, str]:
    """What the form of a page would send."""
    found = dict(re.findall(r'<input id="(\w+)" name="\w+" type="text" value="([^"]*)"', page))
    found |= dict(re.findall(r'type="radio"[^>]* name="(\w+)" value="([^"]*)" checked', page))
    for name, choices in re.findall(r'<select id="(\w+)".*?>(.*?)</select>', page, re.DOTALL):
        chosen = re.findall(r'value="([^"]*)" selected', choices) or re.findall(r'value="([^"]*)"', choices)
        found[name] = chosen[0] if chosen else ""
    return found


async def stored(client: httpx.AsyncClient, dashboard: Dashboard, path: str) -> dict[str, Any]:
    """What the API says of what a page shows."""
    answer = await client.get(path.removeprefix("/app"), headers=dashboard.account.headers)
    assert answer.status_code == 200
    return dict(answer.json())


async def test_an_export_is_scheduled_changed_paused_and_deleted(
    client: httpx.AsyncClient, dashboard: Dashboard
) -> None:
    assert "An export" in (await dashboard.get("/app/schedules/new")).text
    con = await connection(client, dashboard.account)
    form = fields((await dashboard.get("/app/schedules/new?kind=export")).text)
    filled = form | WHEN | {"name": "Nightly", "type": "contacts"}
    filled |= {"destinationId": con, "destinationPath": "/out/{date}.csv"}
    made = await dashboard.post("/app/schedules/new?kind=export", filled)
    path = made.headers["location"]
    schedule = await stored(client, dashboard, path)
    assert (schedule["cron"], schedule["timezone"]) == ("30 2 * * MON-FRI", "Europe/Amsterdam")
    destinations = [{"connectionId": con, "path": "/out/{date}.csv"}]
    assert schedule["request"] == {"type": "contacts", "destinations": destinations}

    page = (await dashboard.get(path)).text
    assert page.count("in Europe/Amsterdam, ") == 3
    assert re.search(r"(Monday|Tuesday|Wednesday|Thursday|Friday) \d+ \w+, 02:30 <span", page)
    assert "It has not been due yet." in page
    assert ("<dd>/out/{date}.csv</dd>" in page, "Set by the API" in page) == (True, False)

    changed = fields((await dashboard.get(f"{path}/change")).text)
    assert (await dashboard.post(f"{path}/change", changed)).status_code == 303
    assert (await stored(client, dashboard, path))["request"] == schedule["request"]

    await dashboard.post(f"{path}/pause")
    assert "Paused" in (await dashboard.get("/app/schedules")).text
    assert (await stored(client, dashboard, path))["enabled"] is False
    await dashboard.post(f"{path}/resume")
    assert (await stored(client, dashboard, path))["enabled"] is True
    assert "starts nothing any more" in (await dashboard.get(f"{path}/delete")).text
    await dashboard.post(f"{path}/delete")
    assert (await dashboard.get(path)).status_code == 404


async def test_what_is_wrong_with_a_schedule_stands_beside_its_field(
    client: httpx.AsyncClient, dashboard: Dashboard
) -> None:
    form = fields((await dashboard.get("/app/schedules/new?kind=import")).text)
    late = await dashboard.post("/app/schedules/new?kind=import", form | {"name": "A", "time": "25:00"})
    assert (late.status_code, '<a href="#time">The time must be hours' in late.text) == (422, True)
    assert '<a href="#type">Choose a type, or a mapping template' in late.text
    con = await connection(client, dashboard.account)
    filled = form | {"name": "A", "rhythm": "cron", "cron": "61 * * * *", "connectionId": con, "path": "/in*/a.csv"}
    page = await dashboard.post("/app/schedules/new?kind=import", filled | {"type": "contacts"})
    assert page.status_code == 422
    assert '<a href="#cron">The minute of “Cron expression” must be 0 to 59' in page.text
    assert '<a href="#path">' in page.text
    assert 'value="61 * * * *"' in page.text


async def test_a_sync_is_scheduled_from_its_page(client: httpx.AsyncClient, dashboard: Dashboard) -> None:
    account = dashboard.account
    body = {"name": "Shop", "connectionId": await connection(client, account)}
    sync = (await client.post("/item-syncs", headers=account.headers, json=body)).json()["id"]
    (link,) = re.findall(r'href="(/app/schedules/new[^"]+)"', (await dashboard.get(f"/app/syncs/{sync}")).text)
    form = fields((await dashboard.get(link.replace("&amp;", "&"))).text)
    assert form["syncId"] == sync
    path = (await dashboard.post("/app/schedules/new?kind=sync", form | {"name": "Every night"})).headers["location"]
    assert (await stored(client, dashboard, path))["syncId"] == sync
    page = (await dashboard.get(f"/app/syncs/{sync}")).text
    assert "Every day at 02:00, UTC" in page
    assert page.count("(02:00 UTC)") == 3
    assert "02:00 UTC" in (await dashboard.get("/app/syncs")).text


async def test_a_feed_is_made_changed_paused_and_deleted(client: httpx.AsyncClient, dashboard: Dashboard) -> None:
    con = await connection(client, dashboard.account)
    form = fields((await dashboard.get("/app/feeds/new")).text)
    filled = form | {"name": "Supplier", "connectionId": con, "path": "/in/*.csv", "type": "contacts"}
    wrong = await dashboard.post("/app/feeds/new", filled | {"afterwards": "move", "folder": "/in"})
    assert (wrong.status_code, '<a href="#afterwards">' in wrong.text) == (422, True)
    path = (await dashboard.post("/app/feeds/new", filled)).headers["location"]
    feed = await stored(client, dashboard, path)
    assert (feed["request"], feed["every"]) == ({"path": "/in/*.csv", "type": "contacts"}, 60)

    body = feed | {"request": feed["request"] | {"delimiter": ";"}}
    await client.put(path.removeprefix("/app"), headers=dashboard.account.headers, json=body)
    changed = fields((await dashboard.get(f"{path}/change")).text)
    again = changed | {"onFailed": "move", "failedFolder": "/failed", "every": "900"}
    assert (await dashboard.post(f"{path}/change", again)).status_code == 303
    feed = await stored(client, dashboard, path)
    assert (feed["request"]["delimiter"], feed["onFailed"], feed["every"]) == (";", "move:/failed", 900)

    page = (await dashboard.get(path)).text
    assert "Nobody has looked yet." in page
    assert "/in/*.csv" in (await dashboard.get("/app/feeds")).text
    await dashboard.post(f"{path}/pause")
    assert "Paused" in (await dashboard.get("/app/feeds")).text
    looked = await dashboard.post(f"{path}/check")
    assert looked.status_code == 303
    await dashboard.post(f"{path}/resume")
    assert "The folder could not be listed" in (await dashboard.get(path)).text
    assert "A new feed of the same folder imports them again" in (await dashboard.get(f"{path}/delete")).text
    await dashboard.post(f"{path}/delete")
    assert (await dashboard.get(path)).status_code == 404


async def test_no_other_connection_takes_the_place_of_one_that_was_removed(
    client: httpx.AsyncClient, dashboard: Dashboard
) -> None:
    con, headers = await connection(client, dashboard.account), dashboard.account.headers
    request = {"type": "contacts", "destinations": [{"connectionId": con, "path": "/a.csv"}]}
    pages = []
    for path, body in (
        ("/feeds", {"connectionId": con, "request": {"path": "/in/*.csv", "type": "contacts"}}),
        ("/item-syncs", {"connectionId": con}),
        ("/schedules", {"kind": "export", "request": request, "cron": "0 2 * * *"}),
    ):
        made = await client.post(path, headers=headers, json={"name": "Nightly", **body})
        pages.append(f"/app{path.replace('/item-', '/')}/{made.json()['id']}/change")
    await client.delete(f"/connections/{con}", headers=headers)
    await connection(client, dashboard.account)
    for page in pages:
        shown = fields((await dashboard.get(page)).text)
        assert con in (shown.get("connectionId"), shown.get("destinationId")), page
        refused = await dashboard.post(page, shown)
        assert (refused.status_code, "connection" in refused.text) == (422, True), page
    sync = pages[1].removesuffix("/change")
    for action in ("run", "test"):
        assert (await dashboard.post(f"{sync}/{action}")).headers["location"] == sync
        assert "Its connection was removed" in (await dashboard.get(sync)).text


async def test_a_viewer_changes_no_schedule_and_no_feed(dashboard: Dashboard, runtime: Runtime) -> None:
    viewer = await dashboard.as_role("viewer")
    for path in ("/app/schedules", "/app/feeds"):
        assert (await viewer.get(path)).status_code == 200
        assert (await viewer.get(f"{path}/new")).status_code == 403
        for action in ("change", "pause", "resume", "delete"):
            assert (await viewer.post(f"{path}/x/{action}")).status_code == 403


@pytest.mark.parametrize(
    ("rhythm", "cron", "words"),
    [
        (Rhythm("day", "02:30", ""), "30 2 * * *", "Every day at 02:30, UTC"),
        (Rhythm("weekdays", "2:05", ""), "5 2 * * MON-FRI", "Monday to Friday at 02:05, UTC"),
        (Rhythm("hour", "00:15", ""), "15 * * * *", "Every hour at :15, UTC"),
        (Rhythm("cron", "", "0 3 1 * *"), "0 3 1 * *", "Cron 0 3 1 * *, UTC"),
    ],
)
def test_a_rhythm_is_a_cron_expression_and_back(rhythm: Rhythm, cron: str, words: str) -> None:
    assert rhythm.build_cron() == (cron, [])
    assert describe_cron(cron, "UTC") == words
    assert read_cron(cron).build_cron() == (cron, [])


def test_a_start_is_told_by_the_schedules_clock_and_in_utc() -> None:
    (told,) = describe_upcoming([datetime(2026, 11, 28, 1, 30, tzinfo=UTC)], "Europe/Amsterdam")
    assert (told.local, told.utc) == ("Saturday 28 November, 02:30", "01:30 UTC")


def test_a_command_keeps_what_it_sends_together() -> None:
    words = shlex.split(write_curl("https://shop.example", "/feeds", method="PUT", body={"name": "it's; rm -rf $HOME"}))
    assert words[-1] == '{"name": "it\'s; rm -rf $HOME"}'
    assert words[:3] == ["curl", "-X", "PUT"]


async def test_names_are_text_wherever_they_are_shown(client: httpx.AsyncClient, dashboard: Dashboard) -> None:
    evil, headers = "\"><script>alert(1)</script>'", dashboard.account.headers
    con = await connection(client, dashboard.account)
    for path, body in (
        ("/item-syncs", {"connectionId": con, "itemsPath": f"/{evil}/"}),
        ("/schedules", {"kind": "export", "request": {"type": "contacts", "name": evil}, "cron": "0 2 * * *"}),
        ("/feeds", {"connectionId": con, "request": {"path": f"/{evil}/*.csv", "type": "contacts"}}),
    ):
        made = await client.post(path, headers=headers, json={"name": evil, **body})
        assert made.status_code == 201, made.text
        pages = f"/app/{path.removeprefix('/item-').removeprefix('/')}"
        own = f"{pages}/{made.json()['id']}"
        for page in (pages, own, f"{own}/change", f"{own}/delete"):
            shown = await dashboard.get(page)
            assert shown.status_code == 200, page
            assert "<script>alert" not in shown.text
            assert "&lt;script&gt;alert" in shown.text, page
