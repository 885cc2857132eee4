"""The wizard in a browser: by keyboard alone, without JavaScript, after a lost session, and while a file is sent."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text

from app.mappings.templates.stored import create_template
from app.resources.registry import BUILT_IN
from app.runs.model import AccountId
from app.storage.access.accounts import account_named
from tests.dashboard.browser import check_page
from tests.dashboard.conftest import Visit
from tests.dashboard.people import PASSWORD, LiveAccount
from tests.dashboard.wizard.pages import MAPPING, SHOP
from tests.support.live import Live

# What the element with the focus is called: by its label, or by itself.
CALLED = "(focused => [focused.labels?.[0]?.textContent, focused.textContent])(document.activeElement)"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.csv"
    file.write_bytes(SHOP)
    return file


@pytest.fixture
async def template(live_account: LiveAccount) -> str:
    """The name of a template that fits the file."""
    async with live_account.database.transaction() as session:
        account_id = AccountId(await account_named(session, live_account.name))
        body = {"name": "Shop file", "type": "contacts", **MAPPING}
        return (await create_template(session, account_id, body, BUILT_IN["contacts"])).name


async def tab_to(page: Page, name: str) -> None:
    """Presses Tab until something that is called so has the focus."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        called: list[str | None] = await page.evaluate(CALLED)
        if any(each and each.strip().startswith(name) for each in called):
            return
    raise AssertionError(f"{name} cannot be reached by Tab at {page.url}")


async def press(page: Page, name: str, arrival: str) -> None:
    """Goes to a button or a link by Tab, presses Enter, and waits for the page that it leads to."""
    await tab_to(page, name)
    await page.keyboard.press("Enter")
    await page.wait_for_url(arrival)


async def test_the_whole_wizard_goes_by_keyboard_alone(visit: Visit, shop: Path, template: str) -> None:
    page = await visit("/app/start")
    # Playwright takes over choosers of files once somebody listens, and does not wait for that: on a busy machine a key
    # that is pressed right afterwards comes too early.
    page.on("filechooser", lambda _: None)
    await check_page(page)
    await press(page, "New import", "**/imports/new")
    await check_page(page)
    await tab_to(page, "File")
    await expect(page.locator("#file")).to_be_focused()
    async with page.expect_file_chooser() as chooser:
        await page.keyboard.press("Enter")
    await (await chooser.value).set_files(shop)
    await press(page, "Upload", "**/source")
    await check_page(page)
    await press(page, "Next", "**/type")
    await check_page(page)
    await tab_to(page, template)
    await page.keyboard.press("Space")
    await press(page, "Next", "**/columns")
    await press(page, "Next", "**/check")
    await expect(page.get_by_text("2 of 3 rows would fail")).to_be_visible()
    await check_page(page)
    await press(page, "Next", "**/run")
    await check_page(page)
    await tab_to(page, "Name")
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.type("By keyboard")
    await press(page, "Import 3 rows", "**/app/runs/*")
    await expect(page.get_by_role("heading", name="By keyboard")).to_be_visible()


async def test_it_works_without_javascript_and_going_back_loses_nothing(
    visit: Visit, shop: Path, template: str
) -> None:
    page = await visit("/app/imports/new", script=False)
    await page.set_input_files("input[type=file]", shop)
    await page.get_by_role("button", name="Upload").click()
    await page.get_by_role("button", name="Next").click()
    await page.get_by_label(template).check()
    await page.get_by_text("What happens to what is there already").click()
    await page.get_by_label("Clear the field").check()
    await page.get_by_role("button", name="Next").click()
    for step, back in (("columns", "type"), ("type", "source")):
        await page.wait_for_url(f"**/{step}")
        await page.get_by_role("link", name="Back", exact=True).click()
        await page.wait_for_url(f"**/{back}")
    await page.get_by_role("link", name="Type").click()
    await expect(page.get_by_label(template)).to_be_checked()
    await expect(page.locator("input[value=clear]")).to_be_checked()
    for step in ("columns", "check", "run"):
        await page.get_by_role("button", name="Next", exact=True).click()
        await page.wait_for_url(f"**/{step}")
        await page.reload()
    await page.get_by_role("button", name="Import 3 rows").dblclick()
    await page.wait_for_url("**/app/runs/*")
    started = page.url
    await page.goto("/app/jobs")
    await expect(page.get_by_role("link", name=re.compile("^shop.csv, "))).to_have_count(1)
    await expect(page.locator(f'a[href="{started[started.index("/app") :]}"]')).to_be_visible()
    await expect(page.get_by_text("Unfinished")).to_have_count(0)


async def test_a_session_that_ends_in_the_middle_loses_nothing(
    visit: Visit, live_account: LiveAccount, shop: Path
) -> None:
    page = await visit("/app/imports/new")
    await page.set_input_files("input[type=file]", shop)
    await page.get_by_role("button", name="Upload").click()
    await page.get_by_role("button", name="Next").click()
    await page.wait_for_url("**/type")
    address = page.url
    async with live_account.database.transaction() as session:
        [[email]] = await session.execute(
            text(
                "DELETE FROM sessions s USING people p, accounts a WHERE p.id = s.person_id AND a.id = s.account_id "
                "AND a.name = :name RETURNING p.email"
            ),
            {"name": live_account.name},
        )
    await page.goto(address)
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(address)
    await expect(page.get_by_text("semicolon, UTF-8 · 3 rows")).to_be_visible()


async def test_an_upload_tells_its_progress_and_can_be_cancelled(visit: Visit, live: Live, tmp_path: Path) -> None:
    before, large = set(live.stored_files()), tmp_path / "large.csv"
    large.write_bytes(b"_email\n" + b"someone@example.org\n" * 250_000)
    page = await visit("/app/imports/new")
    network = await page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 500_000}
    await network.send("Network.emulateNetworkConditions", slow)
    await page.set_input_files("input[type=file]", large)
    await page.get_by_role("button", name="Upload").click()
    await expect(page.locator("[data-told]")).to_contain_text(" of 4.8 MB")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator("[data-told]")).to_have_text("Cancelled. Nothing was kept")
    await check_page(page)
    for _ in range(100):
        if set(live.stored_files()) == before:
            break
        await asyncio.sleep(0.1)
    assert set(live.stored_files()) == before

    small = tmp_path / "notes.bin"
    small.write_bytes(b"PK\x03\x04" + bytes(2_000))
    await page.set_input_files("input[type=file]", small)
    await page.get_by_role("button", name="Upload").click()
    await expect(page.locator("[data-told]")).to_contain_text("The file is a ZIP archive")
    await expect(page.get_by_role("button", name="Upload")).to_be_enabled()
