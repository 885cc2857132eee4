"""Pages that follow a real import in a real browser: nothing hangs, nothing jumps, and the numbers are the engine's."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.embedded import Servers
from app.storage.database import Database
from tests.dashboard.browser import Visitors, check_page, wait_until
from tests.dashboard.conftest import Visit
from tests.dashboard.people import LiveAccount
from tests.support.http import PARTS
from tests.support.live import HOST, Live, running_live, started, wait_until_ready
from tests.support.servers import new_database, redis_number, settings_for
from tests.support.sweeps import few_or_all

READ = """Object.fromEntries([...document.querySelectorAll("#counts .counts li")].map((each) => [
    each.querySelector("span").textContent.trim(), Number(each.querySelector("b").textContent.replace(/\\D/g, ""))]))"""
HALFWAY = f"(() => {{ const read = {READ}; return read.created > 20000 && read; }})()"
HELD = "navigator.locks.query().then((found) => found.held.length)"
HIDE = """(() => {
    Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
})()"""


def says(selector: str, words: str) -> str:
    return f"document.querySelector({selector!r})?.textContent.includes({words!r})"


def rows(number: int, *, bad: int = 0) -> bytes:
    """A file of contacts whose first rows are `bad`."""
    lines = [f"c{each}@example.org,Name {each},{'many' if each < bad else each}" for each in range(number)]
    return "\n".join(["_email,_name,_points", *lines, ""]).encode()


async def start(live: Live, account: LiveAccount, file: bytes, **parts: str) -> tuple[str, dict[str, str]]:
    """The id of an import, and the headers of a key."""
    headers = {"Authorization": f"apiKey {await asyncio.to_thread(live.key, account.name)}"}
    async with httpx.AsyncClient(base_url=live.url, timeout=60) as client:
        answer = await client.post(
            "/imports", headers=headers, data={**PARTS, **parts}, files={"file": ("contacts.csv", file, "text/csv")}
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"]), headers


async def test_counts_reach_the_page_and_focus_stays_where_it_is(
    live: Live, live_account: LiveAccount, visit: Visit
) -> None:
    run_id, headers = await start(live, live_account, rows(250_000, bad=900), name="August prices")
    page = await visit(f"/app/runs/{run_id}")
    await page.locator("#all-problems").focus()
    halfway: dict[str, int] = await wait_until(page, HALFWAY)
    assert halfway["in all"] == sum(number for name, number in halfway.items() if name != "in all") == 250_000
    assert await page.evaluate("document.activeElement.id") == "all-problems"
    await wait_until(page, says("#badge", "Finished, 900 rows failed"), seconds=60)

    told: dict[str, Any] = httpx.get(f"{live.url}/imports/{run_id}", headers=headers).json()
    shown = await page.evaluate(READ)
    names = ("created", "updated", "unchanged", "skipped", "remaining")
    assert {name: shown[name] for name in names} == {name: told[name] for name in names}
    assert (shown["failed"], shown["in all"]) == (told["errors"], told["total"])
    assert await page.evaluate("document.activeElement.id") == "all-problems"
    assert await page.title() == "Finished, 900 rows failed, August prices · Sluice"
    await wait_until(page, says("[data-said]", "Finished, 900 rows failed"))
    assert await page.locator("[data-over]").is_hidden()
    await check_page(page)


async def test_eight_open_pages_all_follow_and_hidden_ones_hold_nothing(
    live: Live, live_account: LiveAccount, visit: Visit, visitors: Visitors
) -> None:
    await start(live, live_account, rows(3), name="Came first")
    first = await visit("/app/jobs")
    pages = [first]
    for _ in range(7):
        page = await first.context.new_page()
        visitors.watch(page)
        await page.goto("/app/jobs")
        pages.append(page)
    assert await wait_until(first, HELD) == 4

    await start(live, live_account, rows(3), name="Came later")
    await asyncio.gather(*(wait_until(page, says("#arrived", "1 new job")) for page in pages))

    await asyncio.gather(*(page.evaluate(HIDE) for page in pages))
    assert await wait_until(first, f"{HELD}.then((number) => number === 0)")


async def test_new_jobs_are_announced_and_move_nothing(live: Live, live_account: LiveAccount, visit: Visit) -> None:
    await start(live, live_account, rows(3), name="Old")
    page = await visit("/app/jobs")
    await start(live, live_account, rows(3), name="New")
    await page.locator("#show-new").wait_for()
    assert await page.locator("#show-new").inner_text() == "1 new job. Show"
    assert "New" not in await page.locator("tbody").last.inner_text()
    await check_page(page)
    await page.locator("#show-new").click()
    await page.locator("tbody a", has_text="New").wait_for()


@pytest.fixture
def restartable(servers: Servers, tmp_path: Path) -> Iterator[Live]:
    """A service whose API a test may end."""
    with running_live(settings_for(tmp_path, new_database(servers, tmp_path.name), redis_number(servers, 7))) as live:
        yield live


@pytest.fixture
async def its_account(restartable: Live) -> AsyncIterator[LiveAccount]:
    assert restartable.settings.database_url is not None
    database = Database(restartable.settings.database_url.get_secret_value(), pool_size=1)
    yield LiveAccount(database, "shop")
    await database.close()


async def test_a_stream_lets_the_api_end_at_once_and_goes_on_with_the_next(
    restartable: Live, its_account: LiveAccount, chromium: Any
) -> None:
    visitors = Visitors(chromium, restartable.url)
    await start(restartable, its_account, rows(3))
    cookies = (await its_account.sign_in()).cookies
    page = await visitors.open(cookies)
    await page.goto("/app/jobs")
    assert await wait_until(page, HELD) == 1
    address = await page.locator("[data-live]").get_attribute("data-live")

    assert await measure_end(restartable, str(address), cookies) < 1
    assert await asyncio.to_thread(restartable.api.wait, 20) == 0

    with restartable.log.open("ab") as log:
        again = started(restartable.settings, ("app.main", HOST, str(restartable.port)), log.fileno())
    try:
        await asyncio.to_thread(wait_until_ready, Live(restartable.port, restartable.settings, again, restartable.log))
        await start(restartable, its_account, rows(3))
        await page.locator("#show-new").wait_for()
    finally:
        await visitors.close()
        again.terminate()
        await asyncio.to_thread(again.wait, 20)


async def measure_end(live: Live, address: str, cookies: dict[str, str]) -> float:
    """Seconds from SIGTERM until a stream has ended."""
    async with (
        httpx.AsyncClient(base_url=live.url, cookies=cookies, timeout=30) as client,
        client.stream("GET", address) as streaming,
    ):
        events = streaming.aiter_lines()
        assert await anext(events) == "event: regions"
        began = time.monotonic()
        live.api.terminate()
        async for _ in events:
            pass
        return time.monotonic() - began


LEASE = {"lease_until": "now() + interval '1 hour'"}
HELD_NOW = {"held_at": "now()", "fail_code": "'brake'", "fail_detail": "'`maxErrors` is 0'"}
ENDED_NOW = {"finished_at": "now()"}
RESET = dict.fromkeys(("finished_at", "lease_until", "held_at", "waiting_for", "fail_code", "fail_detail"), "null")
LOOKS: dict[str, dict[str, str]] = {
    "queued": {"waiting_for": "'storage'", "due_at": "now() + interval '1 hour'"},
    "running": LEASE | {"created": "1"},
    "halted": HELD_NOW,
    "planned": HELD_NOW,
    "failed": ENDED_NOW | {"fail_code": "'source_find'", "fail_detail": "'There is no `x.csv`'"},
    "cancelled": ENDED_NOW | {"fail_code": "'cancelled'", "fail_detail": "'Somebody has cancelled it'"},
    "finished": ENDED_NOW | {"created": "2"},
}


async def look_like(account: LiveAccount, run_id: str, state: str) -> None:
    values = {"state": f"'{state}'", "created": "0", **RESET, **LOOKS[state]}
    assigned = ", ".join(f"{name} = {value}" for name, value in values.items())
    async with account.database.transaction() as session:
        # PostgreSQL lets nobody claim a run who does not say that he knows its plan.
        await session.execute(text("SELECT set_config('sluice.plan_version', '1000', true)"))
        await session.execute(text(f"UPDATE runs SET {assigned} WHERE id = :id"), {"id": run_id})


@few_or_all(LOOKS, ("running", "halted", "failed"))
async def test_no_state_of_a_run_has_a_barrier(
    live: Live, live_account: LiveAccount, visit: Visit, steps: tuple[str, ...]
) -> None:
    run_id, headers = await start(live, live_account, rows(4, bad=2), name="August prices")
    own = f"/app/runs/{run_id}"
    page = await visit(own)
    await wait_until(page, says("#badge", "Finished"))
    for path in (f"{own}/problems", f"{own}/columns", f"{own}/delete", "/app/jobs?text=nothing", "/app/runs/none"):
        await page.goto(path)
        await check_page(page)
    for state in steps:
        await look_like(live_account, run_id, state)
        await page.goto(own)
        assert await page.locator(f"[data-state={state}]").count() == 1
        await check_page(page)
        if state == "halted":
            await page.goto(f"{own}/cancel")
            await check_page(page)
    httpx.delete(f"{live.url}/imports/{run_id}", headers=headers).raise_for_status()


async def test_a_held_run_is_decided_without_script(live: Live, live_account: LiveAccount, visit: Visit) -> None:
    """One is let go on and one is cancelled, by links and forms alone."""
    for title, link, button, end in (
        ("Goes on", "Continue", "Continue without limits", "Finished"),
        ("Is cancelled", "Cancel this import", "Cancel this import", "Cancelled"),
    ):
        run_id, headers = await start(live, live_account, rows(3), name=title, minRows="1000")
        async with httpx.AsyncClient(base_url=live.url, headers=headers) as client:
            await until_status(client, run_id, "halted")
            page = await visit(f"/app/runs/{run_id}", script=False)
            await page.get_by_role("link", name=link).click()
            await page.wait_for_url("**/runs/*/*")
            await page.get_by_role("button", name=button).click()
            await page.wait_for_url(f"**/runs/{run_id}")
            await until_status(client, run_id, end.lower())
        await page.reload()
        assert end in await page.locator("#badge").inner_text()


async def until_status(client: httpx.AsyncClient, run_id: str, status: str) -> None:
    deadline = time.monotonic() + 30
    while (await client.get(f"/runs/{run_id}")).json()["status"] != status:
        assert time.monotonic() < deadline, status
        await asyncio.sleep(0.1)
