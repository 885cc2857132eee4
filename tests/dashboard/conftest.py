"""A browser for all tests of the dashboard, and pages of a running service in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from secrets import token_hex

import pytest
from playwright.async_api import Browser, Page

from app.runtime import Runtime
from app.storage.database import Database
from tests.dashboard.browser import Visitors, running_chromium
from tests.dashboard.people import Dashboard, LiveAccount, new_dashboard
from tests.support.live import Live

Visit = Callable[..., Awaitable[Page]]


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
async def live_account(live: Live) -> AsyncIterator[LiveAccount]:
    """An account of the running service that this test has for itself."""
    assert live.settings.database_url is not None
    database = Database(live.settings.database_url.get_secret_value(), pool_size=1)
    yield LiveAccount(database, f"shop-{token_hex(6)}")
    await database.close()


@pytest.fixture
def visit(visitors: Visitors, live_account: LiveAccount) -> Visit:
    """visit(path, role="admin", script=True): a page of `live_account`, seen by somebody new with this role. Without a
    role nobody has signed in."""

    async def go(path: str, *, role: str | None = "admin", script: bool = True) -> Page:
        cookies = (await live_account.sign_in(role)).cookies if role else {}
        page = await visitors.open(cookies, script=script)
        await page.goto(path)
        return page

    return go


@pytest.fixture
async def dashboard(runtime: Runtime) -> AsyncIterator[Dashboard]:
    """An admin of a new account who is signed in; dashboard.as_role("viewer") is somebody else there."""
    opened = await new_dashboard(runtime)
    yield opened
    await opened.close()
