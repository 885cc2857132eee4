"""An API that is killed while somebody sends it a file: nothing is half there, and the file can be sent again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from app.embedded import Servers
from app.storage.database import Database
from tests.dashboard.browser import Visitors
from tests.dashboard.people import LiveAccount
from tests.support.live import HOST, Live, running_live, started, wait_until_ready
from tests.support.servers import new_database, redis_number, settings_for

SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 500_000}


@pytest.fixture
def killable(servers: Servers, tmp_path: Path) -> Iterator[Live]:
    settings = settings_for(tmp_path, new_database(servers, tmp_path.name), redis_number(servers, 7))
    with running_live(settings) as live:
        yield live


@pytest.fixture
async def its_account(killable: Live) -> AsyncIterator[LiveAccount]:
    assert killable.settings.database_url is not None
    database = Database(killable.settings.database_url.get_secret_value(), pool_size=1)
    yield LiveAccount(database, "shop")
    await database.close()


@pytest.mark.slow
async def test_a_killed_api_keeps_nothing_of_an_upload_and_the_page_says_so(
    killable: Live, its_account: LiveAccount, tmp_path: Path, chromium: Any
) -> None:
    large = tmp_path / "large.csv"
    large.write_bytes(b"_email\n" + b"someone@example.org\n" * 100_000)
    visitors = Visitors(chromium, killable.url)
    page = await visitors.open((await its_account.sign_in("operator")).cookies)
    await page.goto("/app/imports/new")
    network = await page.context.new_cdp_session(page)
    await network.send("Network.emulateNetworkConditions", SLOW)
    await page.set_input_files("input[type=file]", large)
    await page.get_by_role("button", name="Upload").click()
    await expect(page.locator("[data-told]")).to_contain_text(" of 1.9 MB")
    killable.api.kill()
    await expect(page.locator("[data-told]")).to_have_text("The connection was lost. Send the file again")
    await asyncio.to_thread(killable.api.wait, 20)

    with killable.log.open("ab") as log:
        again = started(killable.settings, ("app.main", HOST, str(killable.port)), log.fileno())
    try:
        await asyncio.to_thread(wait_until_ready, Live(killable.port, killable.settings, again, killable.log))
        await network.send("Network.emulateNetworkConditions", SLOW | {"uploadThroughput": -1})
        await page.get_by_role("button", name="Upload").click()
        await page.wait_for_url("**/source")
        await expect(page.get_by_text("100,000 rows").first).to_be_visible()
        await page.goto("/app/jobs")
        await expect(page.get_by_role("link", name="Continue large.csv")).to_have_count(1)
    finally:
        await visitors.close()
        again.terminate()
        await asyncio.to_thread(again.wait, 20)
