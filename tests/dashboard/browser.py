"""A real Chromium whose pages are watched: whatever goes wrong in one of them fails the test."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

INSTALL = "apt-get install -y --no-install-recommends chromium-headless-shell fonts-dejavu-core"
AXE = next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js"))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE, NARROW = 1_280, 320
HEIGHT = 900


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium. On a machine without one the tests skip; in CI they fail."""
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if program is None:
        missing = f"There is no Chromium on this machine. Install one: {INSTALL}"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visitors:
    """Opens pages of a service, and keeps what went wrong in them."""

    browser: Browser
    url: str
    contexts: list[BrowserContext] = field(default_factory=list)
    mishaps: list[str] = field(default_factory=list)

    async def open(self, cookies: dict[str, str], *, script: bool = True) -> Page:
        """A page of a browser of its own, at no address yet, whose cookies these are."""
        context = await self.browser.new_context(
            base_url=self.url,
            java_script_enabled=script,
            viewport={"width": WIDE, "height": HEIGHT},
            locale="en-GB",
            timezone_id="Europe/Berlin",
            accept_downloads=True,
        )
        self.contexts.append(context)
        await context.add_cookies([{"name": name, "value": value, "url": self.url} for name, value in cookies.items()])
        context.set_default_timeout(15_000)
        page = await context.new_page()
        self.watch(page)
        return page

    def watch(self, page: Page) -> None:
        page.on("console", self.read_console)
        page.on("pageerror", lambda error: self.mishaps.append(f"error: {error}"))
        page.on("requestfailed", self.read_failed_request)
        page.on("request", self.read_request)
        page.on("dialog", lambda dialog: self.mishaps.append(f"dialog: {dialog.message}"))

    def read_console(self, message: ConsoleMessage) -> None:
        # The status of a page is the test's own business; a refused style or script is told in other words.
        if message.type in ("error", "warning") and "the server responded with a status" not in message.text:
            self.mishaps.append(f"console: {message.text}")

    def read_failed_request(self, request: Request) -> None:
        # Streams and uploads that end with their page.
        if "ERR_ABORTED" not in str(request.failure):
            self.mishaps.append(f"request: {request.url} {request.failure}")

    def read_request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc and not request.url.startswith(("data:", "blob:")):
            self.mishaps.append(f"foreign: {request.url}")

    async def close(self) -> None:
        for context in self.contexts:
            await context.close()


async def wait_until(page: Page, expression: str, *, seconds: float = 30) -> Any:
    """The value of the JavaScript once it is true. Playwright's own `wait_for_function` evaluates a text in the page,
    which its policy forbids."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := await page.evaluate(expression):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"It never became true: {expression}")


async def check_page(page: Page) -> None:
    """Axe finds no violation in light and dark, and the page does not scroll sideways at 1,280 and 320 px."""
    found: list[str] = []
    for width, scheme in ((WIDE, "light"), (NARROW, "dark")):
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [f"{width} {scheme}: {each}" for each in await violations(page)]
        overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{width}: {overflow} px too wide"] if overflow > 0 else []
    await page.set_viewport_size({"width": WIDE, "height": HEIGHT})
    await page.emulate_media(color_scheme="light")
    assert found == [], "\n".join([page.url, *found])


async def violations(page: Page) -> list[str]:
    if not await page.evaluate("typeof axe === 'object'"):
        # As the debugger, because the page's own policy refuses a script tag.
        await page.evaluate(AXE.read_text())
    answer: dict[str, Any] = await page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        f"{each['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
        for each in answer["violations"]
        for node in each["nodes"]
    ]
