"""A browser for all tests of the dashboard, and pages of a running service in it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page

from tests.dashboard.browser import Visitors, running_chromium
from tests.support.live import Live

Visit = Callable[..., Awaitable[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests with a browser share one, so they share an xdist worker."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with running_chromium() as browser:
        yield browser


@pytest.fixture
async def visitors(chromium: Browser, live: Live) -> AsyncIterator[Visitors]:
    """Pages of the running service; what went wrong in any of them fails the test at its end."""
    visitors = Visitors(chromium, live.url)
    yield visitors
    await visitors.close()
    assert visitors.mishaps == []


@pytest.fixture
def visit(visitors: Visitors) -> Visit:
    """visit(path, script=…, **cookies): a page at this address."""

    async def go(path: str, *, script: bool = True, **cookies: str) -> Page:
        page = await visitors.open(cookies, script=script)
        await page.goto(path)
        return page

    return go
