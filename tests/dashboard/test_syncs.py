"""Pages of item syncs: set in the words of the connector, tested step by step, run, and deleted."""

import re
from typing import Any

import httpx
import pytest

from app.dashboard.session import PLAIN_COOKIE
from app.dashboard.views.syncs.form import FLAGS, build_body, values_of
from app.people.sessions import start_session
from app.runs.model import AccountId
from app.runtime import Runtime
from app.syncs.settings import SyncSettings
from tests.conftest import NewAccount
from tests.dashboard.people import Dashboard
from tests.support.servers import PEPPER
from tests.surfaces.native.test_item_syncs import OTHERS, connection

FILLED: dict[str, Any] = {
    "name": "Catalogue", "itemsPath": "/items/", "filtersPath": "/itemfilters/", "imagesPath": "/itempictures.zip",
    "mode": "full", "removedPercent": "40", "afterwards": "move", "folder": "/done", "separator": "tab",
    "encoding": "", "blankCells": "keep", "quietSeconds": "5", "trimValues": "true",
}  # fmt: skip


async def make(client: httpx.AsyncClient, dashboard: Dashboard, **values: Any) -> str:
    """The path of a new item sync."""
    filled = FILLED | {"connectionId": await connection(client, dashboard.account)} | values
    answer = await dashboard.post("/app/syncs/new", filled)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_a_sync_is_set_as_the_form_says(client: httpx.AsyncClient, dashboard: Dashboard) -> None:
    assert "New item sync" in (await dashboard.get("/app/syncs")).text
    path = await make(client, dashboard)
    found = (await client.get(f"/item-syncs/{path.rsplit('/', 1)[1]}", headers=dashboard.account.headers)).json()
    assert found["name"] == "Catalogue"
    assert (found["mode"], found["maxRemovedShare"], found["separator"]) == ("full", 0.4, "\t")
    assert (found["afterwards"], found["trimValues"], found["imagesOnlyFromPim"]) == ("move:/done", True, False)
    page = (await dashboard.get(path)).text
    assert "Item sync created." in page
    assert "Items that are in no file are removed; it stops when that is more than 40 %." in page
    assert "It has never run" in page


async def test_a_refused_form_keeps_its_values_and_says_what_is_wrong(
    client: httpx.AsyncClient, dashboard: Dashboard
) -> None:
    con = await connection(client, dashboard.account)
    filled = FILLED | {"connectionId": con, "removedPercent": "140", "folder": "/items", "name": "<Mine>"}
    page = await dashboard.post("/app/syncs/new", filled)
    assert page.status_code == 422
    assert '<a href="#removedPercent">The percentage must be a number from 0 to 100' in page.text
    wrong = await dashboard.post("/app/syncs/new", filled | {"removedPercent": "40"})
    assert '<a href="#afterwards">' in wrong.text
    assert 'value="&lt;Mine&gt;"' in page.text
    assert re.search(r'value="full" checked', page.text)
    assert (await client.get("/item-syncs", headers=dashboard.account.headers)).json()["results"] == []


async def test_what_the_form_does_not_show_stays(client: httpx.AsyncClient, dashboard: Dashboard) -> None:
    account = dashboard.account
    body = OTHERS | {"name": "Others", "connectionId": await connection(client, account)}
    made = (await client.post("/item-syncs", headers=account.headers, json=body)).json()
    path = f"/app/syncs/{made['id']}"
    form = (await dashboard.get(f"{path}/change")).text
    values = dict(re.findall(r'<input id="(\w+)"[^>]* value="([^"]*)"', form))
    values |= dict(re.findall(r'type="radio"[^>]* name="(\w+)" value="([^"]*)" checked', form))
    values |= dict(re.findall(r'type="checkbox" id="(\w+)"[^>]* value="(true)" checked', form))
    values |= {"connectionId": made["connectionId"], "separator": "tab"}
    assert (await dashboard.post(f"{path}/change", values | {"name": "New"})).status_code == 303
    changed = (await client.get(f"/item-syncs/{made['id']}", headers=account.headers)).json()
    assert changed | {"updatedAt": ""} == made | {"name": "New", "updatedAt": ""}


async def test_a_sync_is_run_tested_and_deleted(client: httpx.AsyncClient, dashboard: Dashboard) -> None:
    path = await make(client, dashboard)
    started = await dashboard.post(f"{path}/run")
    assert started.status_code == 303
    run = (await client.get("/runs?kind=sync", headers=dashboard.account.headers)).json()["results"][0]
    assert started.headers["location"] == f"/app/runs/{run['id']}"
    assert (run["origin"], run["createdBy"]) == ("app", dashboard.person.id)
    again = await dashboard.post(f"{path}/run")
    assert again.status_code == 409
    assert "A run of this item sync is still open" in again.text
    assert "Waiting, 1st" in (await dashboard.get("/app/syncs")).text

    tested = await dashboard.post(f"{path}/test")
    assert (tested.status_code, "The test failed" in tested.text) == (200, True)
    assert "The host name is unknown" in tested.text

    assert "are deleted. Its runs stay" in (await dashboard.get(f"{path}/delete")).text
    assert (await dashboard.post(f"{path}/delete")).headers["location"] == "/app/syncs"
    assert (await dashboard.get(path)).status_code == 404


async def test_a_viewer_sees_syncs_and_changes_none(
    client: httpx.AsyncClient, dashboard: Dashboard, a_key: NewAccount
) -> None:
    path, viewer = await make(client, dashboard), await dashboard.as_role("viewer")
    assert "Run now" not in (await viewer.get(path)).text
    for address in ("/app/syncs/new", f"{path}/change", f"{path}/delete"):
        assert (await viewer.get(address)).status_code == 403
    for address in ("/app/syncs/new", f"{path}/change", f"{path}/run", f"{path}/test", f"{path}/delete"):
        assert (await viewer.post(address, FILLED)).status_code == 403


@pytest.mark.parametrize("percent", ["", "0", "12.5", "100"])
def test_a_share_is_read_as_it_is_shown(percent: str) -> None:
    texts = {name: str(value) for name, value in values_of(None).items() if isinstance(value, str)}
    values = texts | dict.fromkeys(FLAGS, False) | {"encoding": "", "quietSeconds": "5", "removedPercent": percent}
    share = build_body(values, None)["maxRemovedShare"]
    assert share == (None if percent == "" else float(percent) / 100)
    assert SyncSettings(max_removed_share=share).max_removed_share == share


async def test_a_right_that_is_missing_is_told_to_a_person_in_their_words(
    client: httpx.AsyncClient, dashboard: Dashboard, a_key: NewAccount, runtime: Runtime
) -> None:
    """Somebody who has signed in with a key that may not remove records asks for a full sync."""
    con = await connection(client, dashboard.account)
    scopes = ["syncs:read", "syncs:write", "connections:read"]
    key = (await a_key(scopes, dashboard.account.name)).key
    async with runtime.database.transaction() as session:
        cookie = await start_session(
            session, AccountId(dashboard.account.id), pepper=PEPPER, key_id=key.partition(":")[0]
        )
    dashboard.client.cookies.set(PLAIN_COOKIE, cookie)
    page = await dashboard.post("/app/syncs/new", FILLED | {"connectionId": con})
    assert page.status_code == 422
    assert "You may not " in page.text
    assert f"Ask an admin of {dashboard.account.name}" in page.text
    assert 'value="Catalogue"' in page.text
