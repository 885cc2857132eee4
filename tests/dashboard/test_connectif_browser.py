"""Connectif's article in the browser: steps 1 to 5 make a key, and the vendor's own script imports with it."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.dashboard.browser import check_page
from tests.dashboard.conftest import Visit
from tests.support import environments
from tests.support.environments import needs_node
from tests.support.live import Live
from tests.surfaces.connectif.test_seed_script import HERE, run_script


@needs_node
@pytest.mark.timeout(300)
async def test_a_key_is_made_and_the_vendors_script_imports_with_it(
    visit: Visit, live: Live, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    packages = await asyncio.to_thread(environments.node, "connectif-seed", pytestconfig)
    page = await visit("/app/jobs")
    await page.get_by_role("link", name="API keys").click()
    await page.get_by_role("link", name="New key").first.click()
    await page.get_by_label("What is it for?").fill("Nightly contacts")
    for scope in ("imports:read", "imports:write", "imports:delete"):
        await page.get_by_label(scope, exact=True).check()
    await page.get_by_role("button", name="Create key").click()
    await check_page(page)
    key = await page.get_by_label("API key", exact=True).inner_text()
    await page.get_by_role("link", name="I have stored it").click()
    await expect(page.locator("main")).to_contain_text("Nightly contacts")
    assert key.partition(":")[2] not in await page.content()

    done = await asyncio.to_thread(run_script, live, packages, tmp_path, key=key, file=HERE / "seed.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2] == "completed 5 of 5"

    # "Imports made via API and app are both available in the list of imports."
    await page.get_by_role("link", name="Jobs", exact=True).click()
    await expect(page.get_by_role("link", name="seed.csv", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Records", exact=True).click()
    await page.get_by_role("link", name="contacts", exact=True).click()
    await expect(page.get_by_role("region", name="Records of contacts")).to_contain_text("carl@example.org")
