"""Item syncs, records, schedules and feeds in a real browser: App4Sales' settings, walked through to their end."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.dashboard.browser import check_page
from tests.dashboard.conftest import Visit
from tests.dashboard.people import LiveAccount
from tests.support.archives import zip_of
from tests.support.live import SOURCE_HOST, Live
from tests.support.pictures import picture
from tests.transports.servers.ftp import FtpServer, ftp_server
from tests.transports.servers.server import PASSWORD, USER, Certificates

ITEMS = """\
ItemCode;Description;SalesPrice;Currency;LastAvailableStock;FreeItemFields;salesprice1
SHIRT01; Shirt ;123.45;EUR;120;Material:Cotton;99.95
CAP;Cap;5;EUR;3;;4
"""
FILTERS = "ClassName;ClassValue;ItemCode;Sequence\nColor;Red;SHIRT01;1\n"


@pytest.fixture
async def shop(certificates: Certificates) -> AsyncIterator[FtpServer]:
    """The FTP server of a shop."""
    async with ftp_server("none", certificates, SOURCE_HOST) as server:
        await server.store("items/items.csv", ITEMS.encode())
        await server.store("itemfilters/filters.csv", FILTERS.encode())
        await server.store("itempictures.zip", zip_of({"SHIRT01_1.jpg": picture()}))
        yield server


@pytest.fixture
async def connection(live: Live, live_account: LiveAccount, shop: FtpServer) -> str:
    """The stored connection to it."""
    key = await asyncio.to_thread(live.key, live_account.name)
    place = {"transport": "ftp", "host": SOURCE_HOST, "port": shop.remote.port, "user": USER, "password": PASSWORD}
    async with httpx.AsyncClient(base_url=live.url, headers={"Authorization": f"apiKey {key}"}) as client:
        made = await client.post("/connections", json={"name": "Shop", **place})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])


async def wait_for_end(page: Page) -> None:
    """Looks at the page of a sync until its last run has ended."""
    for _ in range(100):
        if await page.get_by_text("Finished").count():
            return
        await page.wait_for_timeout(200)
        await page.reload()
    raise AssertionError(await page.locator("main").inner_text())


@pytest.mark.timeout(120)
async def test_app4sales_settings_are_walked_through(visit: Visit, connection: str) -> None:
    page = await visit("/app/syncs")
    await page.get_by_role("link", name="New item sync").click()
    assert await page.get_by_label("Separator character used in import files").input_value() == "semicolon"
    assert await page.get_by_label("Folder of items").input_value() == "/items/"
    assert await page.get_by_label("ZIP archive of item images").input_value() == "/itempictures.zip"
    await page.get_by_label("Name", exact=True).fill("App4Sales")
    await page.get_by_label("Seconds in which no file").fill("x")
    await page.get_by_role("button", name="Create item sync").click()
    await expect(page.get_by_role("alert")).to_contain_text("Seconds in which no file may have changed")
    await check_page(page)

    await page.get_by_label("Seconds in which no file").fill("0")
    await page.get_by_label("Full (“Clean data”)").check()
    await page.get_by_label("Trim white space from all fields").check()
    await page.get_by_role("button", name="Create item sync").click()
    await expect(page.locator("main")).to_contain_text("Item sync created.")
    await expect(page.locator("main")).to_contain_text("it stops when that is more than 50 %")

    await page.get_by_role("button", name="Test").click()
    await expect(page.locator("h1")).to_have_text("The test went through")
    await expect(page.locator(".steps")).to_contain_text("ItemCode;Description")
    await check_page(page)
    await page.get_by_role("link", name="Change the settings").click()
    await page.get_by_label("Use deprecated free fields format").check()
    await page.get_by_label("Hide free field caption").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("main")).to_contain_text("Hide free field caption")
    sync = page.url

    await page.get_by_role("button", name="Run now").click()
    await page.goto(sync)
    await wait_for_end(page)
    await expect(page.get_by_role("region", name="Files that were read")).to_contain_text("/items/items.csv")
    await expect(page.get_by_role("region", name="What became of the records")).to_contain_text("item-prices")
    await check_page(page)

    await page.goto("/app/records/items")
    await page.get_by_label("Go to key").fill("SHIRT01")
    await page.get_by_role("button", name="Go", exact=True).click()
    await expect(page.get_by_role("link", name="App4Sales", exact=True)).to_be_visible()
    await expect(page.locator(".pictures img")).to_have_js_property("naturalWidth", 60)
    await check_page(page)
    await page.get_by_role("link", name="Color:Red").click()
    await expect(page.locator("h1")).to_have_text("Color:Red")


@pytest.mark.timeout(120)
async def test_pages_of_the_catalogue_have_no_barrier(visit: Visit, connection: str) -> None:
    page = await visit("/app/records")
    await check_page(page)
    for path in ("/app/records/products?key=x", "/app/syncs", "/app/schedules/new?kind=import"):
        await page.goto(path)
        await check_page(page)

    await page.goto("/app/schedules/new?kind=export")
    # Whoever opens the form sits by this clock.
    assert await page.get_by_label("Time zone").input_value() == "Europe/Berlin"
    await page.get_by_label("Name", exact=True).fill("Nightly")
    await page.get_by_label("Type").select_option("contacts")
    await page.get_by_role("button", name="Create schedule").click()
    await expect(page.locator("main")).to_contain_text("in Europe/Berlin")
    await check_page(page)
    await page.get_by_role("link", name="Delete").click()
    await check_page(page)

    await page.goto("/app/feeds/new")
    await page.get_by_label("Name", exact=True).fill("Items")
    await page.get_by_label("Files", exact=True).fill("/items/*.csv")
    await page.get_by_label("Type").select_option("contacts")
    await page.get_by_role("button", name="Create feed").click()
    await page.get_by_role("button", name="Look now").click()
    await expect(page.get_by_role("region", name="Files")).to_contain_text("items.csv")
    await check_page(page)
    for path in ("/app/feeds", "/app/schedules"):
        await page.goto(path)
        await check_page(page)
