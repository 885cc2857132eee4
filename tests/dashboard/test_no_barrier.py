"""No page has a barrier: every GET of the router is opened with something on it, so no new page is left out."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import Browser, Page, Route

from app.people.links import make_link
from app.runtime import Runtime
from tests.dashboard.browser import Visitors, violations
from tests.dashboard.people import open_dashboard
from tests.dashboard.test_access import pages
from tests.dashboard.test_jobs import STATES, set_run
from tests.dashboard.test_other_accounts import Named, filled, furnish
from tests.dashboard.test_template_from_file import send_file
from tests.dashboard.wizard.pages import make_template, reach_run
from tests.support.http import app_on
from tests.support.servers import PEPPER

ORIGIN = "http://sluice.test"
# They answer with no page of their own: files, streams, and what leads elsewhere.
NO_PAGES = {
    *("/app", "/app/", "/app/live", "/app/static/{name}"),
    *("/app/imports/{run_id}", "/app/exports/{run_id}", "/app/syncs/{sync_id}/runs/{run_id}"),
    "/app/runs/{run_id}/changes.csv",
    "/app/runs/{run_id}/results",
    *("/app/runs/{run_id}/failed-rows.csv", "/app/exports/{export_id}/file", "/app/samples/{type}"),
    "/app/pictures/{sequence}/{item:key}",
}
HELD_PAGES = ("/app/runs/{run_id}/cancel", "/app/runs/{run_id}/resume")
SIGNED_OUT = ("/app/sign-in", "/app/welcome/")  # these lead elsewhere whoever has signed in
NARROW, LOW = 320, 700


def addresses(named: Named, held: str, template_draft: str) -> Iterator[str]:
    """Each page with one thing of each kind."""
    for route in pages():
        if "GET" not in route.methods or route.path in NO_PAGES:
            continue
        known = named | {"run_id": [held]} if route.path in HELD_PAGES else named
        if route.path == "/app/templates/new/{draft_id}":
            known = named | {"draft_id": [template_draft]}
        yield next(filled(route, known))


def firsts(paths: list[str]) -> list[str]:
    """One page of each part of the dashboard."""
    return [*{path.split("/")[2]: path for path in reversed(paths)}.values()]


async def look_at(page: Page, path: str, *, axe: bool) -> list[str]:
    """What is wrong with a page on a narrow screen in the dark."""
    answer = await page.goto(path)
    assert answer is not None
    if answer.status != 200:
        return [f"{path}: status {answer.status}"]
    overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    wide = [f"{path}: {overflow} px too wide"] if overflow > 0 else []
    return [*wide, *(f"{path}: {each}" for each in (await violations(page) if axe else ()))]


@pytest.mark.timeout(180)  # some sixty pages in a browser
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["few", "all"])
async def test_no_page_of_the_router_has_a_barrier(
    runtime: Runtime, chromium: Browser, client: httpx.AsyncClient, every: bool
) -> None:
    """Each page is opened and fits a narrow screen. Axe looks at one page of each part, and if slow at all."""
    owner, named = await furnish(runtime)
    dashboard = await open_dashboard(runtime, app_on(runtime), owner.account, "admin")
    draft = (await reach_run(dashboard, await make_template(dashboard))).rpartition("/")[2]
    async with runtime.database.transaction() as session:
        token = await make_link(session, dashboard.person.id, dashboard.person.account_id, pepper=PEPPER)
    held, run, export = owner.runs["products"], owner.runs["contacts"], owner.export
    await set_run(dashboard, held, f"finished_at = null, {STATES['halted'][0]}")
    named = {**named, "draft_id": [draft], "token": [token], "run_id": [run], "import_id": [run], "export_id": [export]}

    async def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        got = await (client if path.startswith(SIGNED_OUT) else dashboard).get(path)
        headers = {name: value for name, value in got.headers.items() if name not in ("content-length", "set-cookie")}
        await route.fulfill(status=got.status_code, headers=headers, body=got.content)

    visitors = Visitors(chromium, ORIGIN)
    page = await visitors.open({})
    await page.route("**/*", answer)
    await page.route("**/app/live?*", lambda route: route.abort())
    await page.set_viewport_size({"width": NARROW, "height": LOW})
    await page.emulate_media(color_scheme="dark")
    template_draft = (await send_file(dashboard)).rpartition("/")[2]
    paths = list(addresses(named, held, template_draft))
    axed = paths if every else firsts(paths)
    found = [each for path in paths for each in await look_at(page, path, axe=path in axed)]
    await visitors.close()
    await dashboard.close()
    assert found == [], "\n".join(found)
