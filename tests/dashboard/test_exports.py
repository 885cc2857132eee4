"""The pages of exports: the form keeps what was typed, says what is wrong at its field, and asks as the API does."""

import asyncio
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import httpx
import pytest

from app.dashboard.views.exports.choices import FORMATS, OPERATORS
from app.dashboard.views.exports.filled import fill
from app.exports.filters import OPERATORS as ASKED
from tests.conftest import Finish
from tests.dashboard.browser import check_page
from tests.dashboard.conftest import Visit
from tests.dashboard.people import Dashboard, LiveAccount
from tests.support.http import PARTS
from tests.support.live import SOURCE_HOST, Live
from tests.surfaces.native.test_item_syncs import connection

NEW = "/app/exports/new"
# Everything that an export may be asked for, as the API takes it.
WHOLE: Mapping[str, Any] = {
    "type": "products",
    "name": "Dear ones",
    "format": "csv",
    "delimiter": "\t",
    "encoding": "windows-1252",
    "gzip": True,
    "formulas": "neutralize",
    "confirmEmail": "ana@example.com",
    "filter": {
        "updatedSince": "2026-11-01T00:00:00Z",
        "createdSince": "2026-10-31T23:59:58Z",
        "keys": ["a b", "c,d"],
        "fields": ["productId", "unitPrice"],
        "where": [
            {"field": "unitPrice", "operator": ">=", "value": "10"},
            {"field": "tags", "operator": "in", "value": ["new", "sale"]},
            {"field": "imageUrl", "operator": "isEmpty", "value": False},
        ],
    },
}


async def made(dashboard: Dashboard, sent: Mapping[str, str]) -> dict[str, Any]:
    """The export that the form has started, as the API tells it."""
    started = await dashboard.post(NEW, dict(sent))
    assert started.status_code == 303, re.findall(r'class="error"[^>]*>([^<]*)', started.text)
    path = started.headers["location"].removeprefix("/app")
    return dict((await dashboard.client.get(path, headers=dashboard.account.headers)).json())


def fields_of(page: str) -> dict[str, str]:
    """The fields of a page's form as a browser sends them: what is typed, chosen and ticked."""
    form = page[page.index('action="/app/exports/new"') :]
    sent = dict(re.findall(r'<input [^>]*?name="([^"]+)" type="(?:text|email|datetime-local)" value="([^"]*)"', form))
    sent |= dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    sent |= dict(re.findall(r'<textarea [^>]*?name="([^"]+)"[^>]*>([^<]*)</textarea>', form))
    sent |= dict(re.findall(r'<input type="(?:radio|checkbox)" [^>]*?name="([^"]+)" value="([^"]*)" checked', form))
    for name, options in re.findall(r'<select [^>]*?name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        sent[name] = (re.findall(r'value="([^"]*)" selected', options) or re.findall(r'value="([^"]*)"', options))[0]
    return {name: unescape(value) for name, value in sent.items()}


def test_every_format_and_operator_can_be_chosen() -> None:
    assert {value for value, _ in OPERATORS} == {*ASKED, "isNotEmpty"}
    assert [value for value, *_ in FORMATS] == ["csv", "jsonl"]


async def test_the_form_asks_for_all_that_the_api_takes_and_again_fills_it_in(
    dashboard: Dashboard, finish: Finish
) -> None:
    first = await made(dashboard, fill(WHOLE))
    assert {name: first[name] for name in WHOLE if name != "confirmEmail"} == {
        name: value for name, value in WHOLE.items() if name != "confirmEmail"
    }
    listed = (await dashboard.get("/app/exports/again")).text
    assert f'<a href="/app/exports/again/{first["id"]}">{first["name"]}</a>' in listed
    page = (await dashboard.get(f"/app/exports/again/{first['id']}")).text
    again = await made(dashboard, fields_of(page))
    assert (again["parentId"], again["relation"]) == (first["id"], "rerun")
    same = ("type", "name", "format", "delimiter", "encoding", "gzip", "formulas", "mappingId", "filter")
    assert {name: again[name] for name in same} == {name: first[name] for name in same}
    await finish(dashboard.runtime, first["id"])
    assert (await dashboard.post(f"/app/runs/{first['id']}/delete")).status_code == 303
    assert "parentId" not in await made(dashboard, fields_of(page) | {"once": ""})


async def test_a_form_that_is_sent_twice_makes_one_export(dashboard: Dashboard) -> None:
    sent = fields_of((await dashboard.get(NEW)).text)
    assert len(sent["once"]) > 20
    twins = await asyncio.gather(*(made(dashboard, sent) for _ in range(6)))
    once = {each["id"] for each in twins}
    assert len(once) == 1
    assert {(await made(dashboard, sent))["id"]} == once  # Back, and the button again

    changed = await made(dashboard, sent | {"name": "Another"})
    reloaded = await made(dashboard, fields_of((await dashboard.get(NEW)).text))
    assert len({*once, changed["id"], reloaded["id"]}) == 3
    refused = await dashboard.post(NEW, sent | {"confirmEmail": "nobody"})
    assert (refused.status_code, fields_of(refused.text)["once"]) == (422, sent["once"])


async def test_a_new_export_begins_with_the_type_that_has_most_records(dashboard: Dashboard, finish: Finish) -> None:
    assert fields_of((await dashboard.get(NEW)).text)["type"] == "contacts"
    file = {"file": ("items.csv", b"itemCode\na/1\na/2\n")}
    sent = await dashboard.client.post(
        "/imports", data={"type": "items"}, files=file, headers=dashboard.account.headers
    )
    await finish(dashboard.runtime, sent.json()["id"])
    page = (await dashboard.get(NEW)).text
    assert fields_of(page)["type"] == "items"
    assert "items (2 records)" in page
    assert fields_of((await dashboard.get(f"{NEW}?type=products")).text)["type"] == "products"


async def test_a_mapping_that_an_export_brought_with_it_is_used_again(dashboard: Dashboard, finish: Finish) -> None:
    mapping = {"columns": [{"column": "Mail", "field": "_email"}]}
    body = {"type": "contacts", "mapping": mapping}
    first = (await dashboard.client.post("/exports", json=body, headers=dashboard.account.headers)).json()
    sent = fields_of((await dashboard.get(f"/app/exports/again/{first['id']}")).text)
    again = await made(dashboard, sent)
    assert again["mappingId"] == "inline"
    await finish(dashboard.runtime, again["id"])
    assert (await dashboard.get(f"/app/exports/{again['id']}/file")).text == "Mail\n"
    assert (await made(dashboard, sent | {"mappingId": "default"}))["mappingId"] == "default"


async def test_what_is_wrong_stands_at_its_field_and_all_stays(dashboard: Dashboard) -> None:
    sent = fill({"type": "products", "name": "Mine"}) | {
        "where-1-field": "unitPrice", "where-1-operator": ">=", "where-1-value": "dear"
    }  # fmt: skip
    page = await dashboard.post(NEW, sent)
    assert page.status_code == 422
    assert '<a href="#where-1-value">' in page.text
    assert "The value of condition 2 does not fit" in page.text
    shown = fields_of(page.text)
    assert {name: shown[name] for name in sent if name in shown} == {name: sent[name] for name in sent if name in shown}

    unmailed = await dashboard.post(NEW, sent | {"confirmEmail": "nobody"})
    assert '<a href="#confirmEmail">The address for the mail must be an e-mail address' in unmailed.text
    gone = await dashboard.post(NEW, fill({"type": "contacts", "mappingId": "map_gone"}))
    assert '<a href="#mappingId">' in gone.text
    assert "A template that was deleted" in gone.text


async def test_rows_are_added_and_types_change_without_losing_a_word(dashboard: Dashboard) -> None:
    sent = fill({"type": "products", "name": "Mine"}) | {"where-0-field": "tags", "where-0-operator": "in"}
    page = (await dashboard.post(NEW, sent | {"do": "add-where"})).text
    assert "Condition 2" in page
    assert fields_of(page)["name"] == "Mine"
    other = (await dashboard.post(NEW, sent | {"do": "show", "type": "contacts"})).text
    assert 'value="_mobilePhone"' in other
    assert fields_of(other)["where-0-field"] == "tags", "a field of the other type stays until somebody changes it"


async def test_a_full_queue_keeps_the_form(dashboard: Dashboard) -> None:
    for _ in range(5):
        await made(dashboard, fill({"type": "contacts"}))
    full = await dashboard.post(NEW, fill({"type": "contacts", "name": "The sixth"}))
    assert full.status_code == 429
    assert "5 exports of this account are waiting or running" in full.text
    assert 'value="The sixth"' in full.text


async def test_who_may_not_export_sees_no_form(dashboard: Dashboard) -> None:
    viewer, operator = await dashboard.as_role("viewer"), await dashboard.as_role("operator")
    assert (await viewer.get(NEW)).status_code == 403
    assert (await viewer.post(NEW, fill({"type": "contacts"}))).status_code == 403
    assert (await operator.get(NEW)).status_code == 200
    assert (await operator.post(NEW, fill({"type": "contacts"}) | {"do": "test-0"})).status_code == 403
    export = await made(dashboard, fill({"type": "contacts"}))
    assert "Export again" not in (await viewer.get(f"/app/runs/{export['id']}")).text
    assert (await dashboard.get("/app/exports/again/018bcfe568a1c0ffee012345")).status_code == 404
    early = await dashboard.get(f"/app/exports/{export['id']}/file")
    assert early.status_code == 409
    assert "Wait until the export has ended" in early.text


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_an_export_is_made_and_downloaded_in_a_browser(
    visit: Visit, live: Live, live_account: LiveAccount, script: bool, unused_tcp_port: int
) -> None:
    key = await asyncio.to_thread(live.key, live_account.name)
    async with httpx.AsyncClient(base_url=live.url, headers={"Authorization": f"apiKey {key}"}) as api:
        file = {"file": ("a.csv", b"_email,_name\nana@example.com,=1+1\n")}
        imported = (await api.post("/imports", data=PARTS, files=file)).json()["id"]
        away = {"name": "away", "transport": "ftp", "host": SOURCE_HOST, "port": unused_tcp_port}
        assert (await api.post("/connections", json=away)).status_code == 201
        while not (await api.get(f"/runs/{imported}")).json()["done"]:
            await asyncio.sleep(0.05)
    page = await visit(NEW, script=script)
    await page.get_by_label("Connection").select_option(label="away (FTP)")
    await page.get_by_label("Path").fill("a.csv")
    await page.get_by_role("button", name="Test for Export").click()
    await page.get_by_text("The server cannot be reached").wait_for()
    assert await page.locator("#tested").evaluate("shown => document.activeElement === shown")
    if script:
        await check_page(page)
    await page.get_by_label("Connection").select_option("")
    await page.get_by_text("Only some of the records").click()
    await page.get_by_label("Only these columns").fill("_email\n_name")
    await page.get_by_label("Name").last.fill("For the fair")
    if script:
        await check_page(page)
    await page.get_by_role("button", name="Export", exact=True).last.click()
    await page.get_by_role("heading", name="For the fair").wait_for()
    for _ in range(100 if not script else 0):
        if await page.get_by_role("link", name="Download", exact=True).count():
            break
        await page.reload()
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download for spreadsheets").click()
    assert (
        await (await downloading.value).path()
    ).read_bytes().decode() == "\ufeff_email,_name\nana@example.com,'=1+1\n"
    if script:
        await check_page(page)
    await page.get_by_role("link", name="Export again").click()
    assert await page.get_by_label("Name").last.input_value() == "For the fair"


async def test_a_connection_that_was_removed_is_told_on_the_page_of_its_export(
    client: httpx.AsyncClient, dashboard: Dashboard, finish: Finish
) -> None:
    headers = dashboard.account.headers
    con = await connection(client, dashboard.account)
    body = {"type": "contacts", "destinations": [{"connectionId": con, "path": "/a.csv"}]}
    export = (await client.post("/exports", headers=headers, json=body)).json()["id"]
    await finish(dashboard.runtime, export)
    await client.delete(f"/connections/{con}", headers=headers)
    again = await dashboard.post(f"/app/exports/{export}/retry")
    assert (again.status_code, again.headers["location"]) == (303, f"/app/exports/{export}")
    assert "There is no connection with this id." in (await dashboard.get(f"/app/runs/{export}")).text
