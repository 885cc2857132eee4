"""A mapping template without a job: type, file with a header, columns, name, Save; and the columns of any file."""

import asyncio
import time
from collections.abc import AsyncIterator

from playwright.async_api import Route

from app.drafts.draft import MOST_DRAFTS, add_draft
from tests.dashboard.browser import check_page
from tests.dashboard.conftest import Visit
from tests.dashboard.people import OWN, Dashboard

NEW = "/app/templates/new"
PRICES = "SKU;Bezeichnung;Preis;Notiz\n" + "".join(f"A-{n};Hut;1{n},50;a\n" for n in range(10)) + "B;Mütze;viel;b\n"


async def send_file(dashboard: Dashboard, text: str = PRICES, type: str = "products") -> str:
    """The address of the page with its columns."""
    file = {"file": ("prices.csv", text.encode(), "text/csv")}
    answer = await dashboard.post(f"{NEW}?type={type}", files=file)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_template_is_made_from_a_file_and_no_job(dashboard: Dashboard) -> None:
    assert '<option value="shop-products">' in (await dashboard.get(NEW)).text
    assert (await dashboard.get("/app/samples/products")).status_code == 200
    assert "/app/samples/products" in (await dashboard.get(f"{NEW}?type=products")).text
    page = await send_file(dashboard)
    assert f'href="{page}"' in (await dashboard.get("/app/jobs")).text
    shown = (await dashboard.get(page)).text
    for words in (
        "3 mapped, 1 left open",
        "It is a usual name for a sales price",
        "10.50",
        "How it is read: decimal comma",
    ):
        assert words in shown, words
    form = {"number": "1", "field-0": "productId", "field-1": "name", "field-2": "unitPrice", "decimalComma-2": "true"}
    checked = await dashboard.post(page, form | {"field-3": "-", "go": "check"})
    assert (checked.status_code, checked.headers["location"]) == (303, page)
    assert "3 mapped, 1 ignored" in (await dashboard.get(page)).text
    unnamed = await dashboard.post(page, form | {"field-3": "-", "go": "next", "name": ""})
    assert (unnamed.status_code, "“Name of the template” must be 1 to 200" in unnamed.text) == (422, True)
    saved = await dashboard.post(page, form | {"field-3": "-", "go": "next", "name": "Supplier"})
    assert (saved.status_code, saved.headers["location"].startswith("/app/templates/map_")) == (303, True)
    path = saved.headers["location"].replace("/app/templates", "/mappings")
    template = (await dashboard.client.get(path, headers=dashboard.account.headers)).json()
    assert (template["name"], template["options"]["delimiter"]) == ("Supplier", ";")
    assert template["columns"][2:] == [
        {"column": "Preis", "field": "unitPrice", "decimalComma": True},
        {"column": "Notiz", "ignore": True},
    ]
    assert (await dashboard.get(page)).status_code == 404
    runs = await dashboard.client.get("/runs", headers=dashboard.account.headers)
    assert runs.json()["results"] == []


async def test_what_is_wrong_with_a_column_is_told_in_its_row(dashboard: Dashboard) -> None:
    page = await send_file(dashboard)
    form = {"number": "1", "field-0": "productId", "field-1": "name", "field-2": "unitPrice", "field-3": "name"}
    twice = await dashboard.post(page, form | {"go": "check"})
    assert twice.status_code == 422
    for words in ("“Notiz” becomes the same field", "“Bezeichnung” becomes the same field", "is not a number"):
        assert words in twice.text, words
    assert "11 rows of the first 11:" in twice.text
    assert twice.text.count("say how these values are written") == 1
    await dashboard.post(page, form | {"field-3": "publishedAt", "dateFormat-3": "DD.MM.YYYY", "go": "check"})
    assert "How it is read: dates are written as DD.MM.YYYY" in (await dashboard.get(page)).text
    bad = await dashboard.post(page, form | {"field-3": "publishedAt", "dateFormat-3": "TT.MM.JJJJ", "go": "check"})
    assert (bad.status_code, bad.text.count("<code>dateFormat</code> of column <code>Notiz</code> must")) == (422, 3)
    for hostile in (
        {"values-3": "[" * 9_000},
        {"values-3": '{"a":' * 9_000},
        {"field-3": "x" * 9_000},
    ):
        answer = await dashboard.post(page, form | {"field-3": "description", "go": "check"} | hostile)
        assert answer.status_code == 422, hostile
    empty = await dashboard.post(f"{NEW}?type=products", files={"file": ("a.csv", b"", "text/csv")})
    assert (empty.status_code, "The file is empty" in empty.text) == (422, True)


async def test_two_thousand_columns_are_shown_in_pages_of_a_hundred_within_a_second(dashboard: Dashboard) -> None:
    names = ["SKU", "Name", *(f"Field {number}" for number in range(1_998))]
    row = ",".join(str(number) for number in range(2_000))
    page = await send_file(dashboard, f"{','.join(names)}\n{row}\n")
    await dashboard.get(page)
    began = time.process_time()
    shown = (await dashboard.get(f"{page}?page=20")).text
    took = time.process_time() - began
    assert took < 1
    assert "Page 20 of 20" in shown
    assert shown.count('<th scope="row"') == 100
    moved = await dashboard.post(page, {"field-1999": "description", "number": "20", "go": "page-19"})
    assert moved.headers["location"] == f"{page}?page=19"
    assert "3 mapped" in (await dashboard.get(page)).text
    only = (await dashboard.get(f"{page}?only=true")).text
    assert "All columns" in only


async def test_fields_of_a_wide_type_are_typed(dashboard: Dashboard) -> None:
    fields = [{"id": f"field{number}", "type": "text"} for number in range(101)]
    path, headers = "/types/wide", dashboard.account.headers
    assert (
        await dashboard.client.put(path, headers=headers, json={"key": "field0", "fields": fields})
    ).status_code == 201
    page = await send_file(dashboard, "field0,Other\n1,2\n", "wide")
    shown = (await dashboard.get(page)).text
    assert '<datalist id="fields">' in shown
    assert "<select" not in shown.split("<datalist")[0]
    typed = await dashboard.post(page, {"field-0": "field0", "field-1": "-", "go": "check"})
    assert typed.status_code == 303
    assert "1 mapped, 1 ignored" in (await dashboard.get(page)).text


async def test_columns_by_keyboard_alone_are_checked_at_once(visit: Visit) -> None:
    page = await visit(f"{NEW}?type=products")
    await page.set_input_files("#file", {"name": "prices.csv", "mimeType": "text/csv", "buffer": PRICES.encode()})
    await page.get_by_role("button", name="Next").press("Enter")
    await page.wait_for_url("**/new/draft_*")
    await check_page(page)
    assert await page.locator("#columns-summary").inner_text() == "3 mapped, 1 left open. 2 need you."
    note = page.get_by_label("Notiz becomes")
    await note.focus()
    await note.press("I")  # of Ignore
    await page.get_by_text("3 mapped, 1 ignored. 1 needs you.").wait_for()
    assert await page.locator("#verdict-3").inner_text() == "Ignored"
    fold = page.locator("#more-2 summary")
    await fold.focus()
    await fold.press("Enter")
    await page.get_by_label("Decimal comma").first.press("Space")
    await page.locator("#verdict-2 .badge.bad").wait_for()
    await page.get_by_label("Name of the template").fill("By keyboard")
    await page.get_by_label("Name of the template").press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="By keyboard").wait_for()
    await check_page(page)


async def test_a_column_that_is_changed_before_the_script_is_there_is_checked_too(visit: Visit) -> None:
    page = await visit(f"{NEW}?type=products")
    await page.set_input_files("#file", {"name": "prices.csv", "mimeType": "text/csv", "buffer": PRICES.encode()})
    changed = asyncio.Event()

    async def hold(route: Route) -> None:
        await changed.wait()
        await route.continue_()

    await page.route("**/columns.*.js", hold)
    await page.get_by_role("button", name="Next").click(no_wait_after=True)
    await page.get_by_label("Notiz becomes").select_option("-")
    changed.set()
    await page.get_by_text("3 mapped, 1 ignored. 1 needs you.").wait_for()


async def test_columns_without_script(visit: Visit) -> None:
    page = await visit(f"{NEW}?type=products", script=False)
    await page.set_input_files("#file", {"name": "prices.csv", "mimeType": "text/csv", "buffer": PRICES.encode()})
    await page.get_by_role("button", name="Next").click()
    await page.get_by_label("Notiz becomes").select_option("-")
    await page.get_by_role("button", name="Check").click()
    assert await page.locator("#columns-summary").inner_text() == "3 mapped, 1 ignored. 1 needs you."
    await page.get_by_role("button", name="Only those that need you").click()
    await page.get_by_role("button", name="All columns").wait_for()
    assert await page.locator("tbody tr").count() == 1
    await page.get_by_label("Name of the template").fill("Without script")
    await page.get_by_role("button", name="Create template").click()
    assert await page.get_by_role("status").first.inner_text() == "Template saved."


async def test_too_many_drafts_are_told_before_the_file_is_read(dashboard: Dashboard) -> None:
    async with dashboard.runtime.database.transaction() as session:
        for _ in range(MOST_DRAFTS):
            await add_draft(session, dashboard.person.account_id, {})

    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    headers = OWN | {"Content-Type": "multipart/form-data; boundary=x", "Expect": "100-continue"}
    answer = await dashboard.client.post(f"{NEW}?type=products", headers=headers, content=body())
    assert "20 imports are unfinished" in answer.text
