"""Jobs and the page of a run, over HTTP: every state, filter and decision, in one account that nobody else sees."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import event, text

from app.imports.engine import work
from app.runs.lifecycle import work_on
from app.runs.model import RunId
from app.runtime import Runtime
from app.storage import claims
from tests.conftest import Finish
from tests.dashboard.people import Dashboard
from tests.support import http
from tests.support.http import post

BAD = b"_email,_name,_points\nana@example.org,Ana,10\nbob@example.org,Bob,<i>many</i>\nno address,,1\n"


@pytest.fixture
async def api(dashboard: Dashboard) -> AsyncIterator[httpx.AsyncClient]:
    """The API of the same service."""
    async with http.client_of(dashboard.app) as client:
        yield client


async def imported(dashboard: Dashboard, api: httpx.AsyncClient, file: bytes = BAD, **parts: str) -> str:
    answer = await post(api, dashboard.account, file, parts=parts)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def set_run(dashboard: Dashboard, run_id: str, values: str) -> None:
    async with dashboard.runtime.database.transaction() as session:
        # PostgreSQL lets nobody claim a run who does not say that he knows its plan.
        await session.execute(text("SELECT set_config('sluice.plan_version', '1000', true)"))
        await session.execute(text(f"UPDATE runs SET {values} WHERE id = :id"), {"id": run_id})


async def seen(dashboard: Dashboard, path: str, status: int = 200) -> str:
    """The words of a page, without its tags."""
    answer = await dashboard.get(path)
    assert answer.status_code == status, (path, answer.text)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text.partition("<main")[2]))


async def test_an_account_without_jobs_is_told_how_to_start(dashboard: Dashboard) -> None:
    words = await seen(dashboard, "/app/jobs")
    assert "Nothing has been imported yet." in words
    assert "http://sluice.test/imports" in words
    assert "0 of 10 places for imports taken" in words
    assert "No worker is running. Jobs wait until a worker is started: sluice worker" in words


async def test_jobs_are_listed_and_found_by_every_filter(
    dashboard: Dashboard, api: httpx.AsyncClient, finish: Finish
) -> None:
    bad = await imported(dashboard, api, name="August prices")
    await finish(dashboard.runtime, bad)
    waiting = await imported(dashboard, api)
    words = await seen(dashboard, "/app/jobs")
    assert "August prices Import · contacts · by key “test” Finished, 2 rows failed" in words
    assert "contacts.csv Import · contacts · by key “test” Waiting, 1st" in words
    assert "1 of 10 places for imports taken: 1 waits." in words
    key = dashboard.account.key.partition(":")[0]
    for query, ids in (
        ("kind=import&state=&type=&text=", {bad, waiting}),
        ("kind=export", set()),
        ("state=finished", {bad}),
        ("type=products", set()),
        ("text=AUGUST", {bad}),
        (f"by={key}", {bad, waiting}),
        ("by=nobody", set()),
        ("connection=nothing", set()),
        ("sync=nothing", set()),
    ):
        page = (await dashboard.get(f"/app/jobs?{query}")).text
        assert set(re.findall(r'<th scope="row" class="broad"><a href="/app/runs/(\w+)"', page)) == ids, query
        assert ids or "No job fits these filters." in page
    for wrong in ("kind=x", "state=x", "cursor=x"):
        assert "Error: " in (await dashboard.get(f"/app/jobs?{wrong}")).text


async def test_pages_follow_each_other_by_a_cursor_that_keeps_the_filters(
    dashboard: Dashboard, api: httpx.AsyncClient
) -> None:
    first = await imported(dashboard, api)
    copies = """INSERT INTO runs
        SELECT (r).* FROM (SELECT runs, g FROM runs, generate_series(1, 30) g WHERE id = :id) x,
        LATERAL jsonb_populate_record(x.runs, jsonb_build_object('id', 'copy' || g, 'seq', -g, 'state', 'cancelled',
        'fail_code', 'cancelled', 'finished_at', now(), 'blob', null)) r"""
    async with dashboard.runtime.database.transaction() as session:
        await session.execute(text(copies), {"id": first})
    page = (await dashboard.get("/app/jobs?state=cancelled")).text
    following = re.search(r'href="([^"]+)" rel="next"', page)
    assert following is not None
    second = (await dashboard.get(following[1].replace("&amp;", "&"))).text
    ids = re.findall(r'<th scope="row" class="broad"><a href="/app/runs/(\w+)"', page + second)
    assert len(ids) == len(set(ids)) == 30
    assert 'href="/app/jobs?state=cancelled">First page' in second


async def test_a_full_queue_names_what_holds_the_places(dashboard: Dashboard, api: httpx.AsyncClient) -> None:
    ids = [await imported(dashboard, api) for _ in range(10)]
    await set_run(dashboard, ids[3], "state = 'running', started_at = now() - interval '10 s', created = 1")
    page = (await dashboard.get("/app/jobs")).text
    assert "10 of 10 places for imports taken: 1 runs, 9 wait" in page
    assert re.findall(r'id="place-(\w+)"', page) == ids
    assert f'id="first-1" href="/app/runs/{ids[3]}"' in page


STATES: dict[str, tuple[str, str]] = {
    "queued": ("attempt = 0", "It is number 1 of those that wait."),
    "fetching": ("state = 'running', step = 'fetch', blob = null, total = null, fetched_bytes = 12100000", "11.5 MB"),
    "running": (
        "state = 'running', started_at = now() - interval '10 s', created = 1",
        "33 % : 1 of 3 rows, about 20 seconds left.",
    ),
    "waits": (
        "state = 'running', waiting_for = 'storage'",
        "The store of files cannot be reached. It goes on by",
    ),
    "halted": (
        "state = 'halted', held_at = now(), fail_code = 'brake', fail_detail = '`maxErrors` is 1, but 3 rows failed'",
        "At most 1 row may fail, but 3 rows failed.",
    ),
    "planned": ("state = 'planned', held_at = now()", "Nothing is written yet"),
    "failed": (
        "state = 'failed', finished_at = now(), created = 1, fail_code = 'source_find', fail_detail = 'No x.csv there'",
        "No x.csv there. Correct the path, and test the connection. 1 row was written before and stays; 2 were not",
    ),
    "cancelled": (
        "state = 'cancelled', finished_at = now(), fail_code = 'cancelled', fail_detail = 'Somebody has cancelled it'",
        "Cancelled Somebody has cancelled it. 0 created",
    ),
    "finished": ("state = 'finished', finished_at = now(), created = 3", "All 3 rows went in."),
    "none": ("state = 'finished', finished_at = now(), failed = 3", "No row went in"),
    "crashed": (
        """state = 'running', interruptions = '[{"at": "2026-11-27T14:02:00+00:00", "row": 310000, "lost": true}]'""",
        "Worker lost at",
    ),
}


@pytest.mark.parametrize("state", STATES)
async def test_the_page_of_a_run_says_where_it_is(dashboard: Dashboard, api: httpx.AsyncClient, state: str) -> None:
    run_id = await imported(dashboard, api)
    values, words = STATES[state]
    await set_run(dashboard, run_id, values)
    page = await seen(dashboard, f"/app/runs/{run_id}")
    assert words in page, page
    if state == "crashed":
        assert "went on from row 310,001" in page


async def test_a_run_shows_the_law_of_its_counts_and_every_cause(
    dashboard: Dashboard, api: httpx.AsyncClient, finish: Finish
) -> None:
    run_id = await imported(dashboard, api, name="August prices")
    await finish(dashboard.runtime, run_id)
    answer = await dashboard.get(f"/app/runs/{run_id}")
    told = (await api.get(f"/imports/{run_id}", headers=dashboard.account.headers)).json()
    told["failed"] = told["errors"]
    counts = re.findall(r"<b>(= )?(\d+)</b><span>(?:<i[^>]*></i>)?(\w+)", answer.text)
    numbers = {name: int(number) for _, number, name in counts}
    names = ("created", "updated", "unchanged", "skipped", "failed", "remaining")
    assert {name: numbers[name] for name in names} == {name: told[name] for name in names}
    assert numbers["in"] == told["total"] == sum(numbers[name] for name in names)
    assert "<title>Finished, 2 rows failed, August prices · Sluice</title>" in answer.text
    assert "&lt;i&gt;many&lt;/i&gt;" in answer.text
    assert "<i>many" not in answer.text
    page = await seen(dashboard, f"/app/runs/{run_id}")
    assert "1 row went in, 2 failed: 2 causes." in page
    assert "_points : The value does not fit the field 1 row" in page
    assert (
        f"curl -X POST -H &#34;Authorization: apiKey $SLUICE_KEY&#34; -F file=@contacts.csv http://sluice.test/imports/{run_id}/rerun"
        in page
    )
    for old in (f"/app/imports/{run_id}", f"/app/exports/{run_id}", f"/app/syncs/any/runs/{run_id}"):
        assert (await dashboard.get(old)).headers["location"] == f"/app/runs/{run_id}"


async def test_after_a_worker_was_lost_the_numbers_are_those_of_the_api_and_the_page_says_so(
    dashboard: Dashboard, api: httpx.AsyncClient, finish: Finish
) -> None:
    run_id = await imported(dashboard, api)
    async with dashboard.runtime.database.transaction() as session:
        assert await claims.claim(session, run_id, lease=0)
    async with dashboard.runtime.database.transaction() as session:
        await claims.rescue(session, backoff=0)
    page = await seen(dashboard, f"/app/runs/{run_id}")
    assert "Worker lost at" in page
    assert "went on from row 1 " in page
    assert "0 created 0 updated 0 unchanged 0 skipped 0 failed 3 remaining = 3 in all" in page
    await finish(dashboard.runtime, run_id)
    page = await seen(dashboard, f"/app/runs/{run_id}")
    assert "1 created 0 updated 0 unchanged 0 skipped 2 failed 0 remaining = 3 in all" in page
    told = (await api.get(f"/runs/{run_id}", headers=dashboard.account.headers)).json()
    assert (told["created"], told["failed"], told["remaining"], told["total"]) == (1, 2, 0, 3)
    assert [(each["row"], each["lost"]) for each in told["interruptions"]] == [(0, True)]


async def test_problems_are_filtered_and_failed_rows_come_back_as_a_file(
    dashboard: Dashboard, api: httpx.AsyncClient, finish: Finish
) -> None:
    run_id = await imported(dashboard, api)
    await finish(dashboard.runtime, run_id)
    own = f"/app/runs/{run_id}"
    every = await seen(dashboard, f"{own}/problems")
    assert "_points" in every
    assert "_email" in every
    points = (await dashboard.get(f"{own}/problems?code=type_error&column=_points")).text
    sent = f"/app/imports/{run_id}/rows/2"
    assert re.findall(r'<a href="([^"]+)" aria-label="Line 3, as it was sent">', points) == [sent]
    assert "<i>many</i>" in html.unescape((await dashboard.get(sent)).text)
    assert "No row failed for this cause" in await seen(dashboard, f"{own}/problems?code=required&column=_points")
    rows = await dashboard.get(f"{own}/failed-rows.csv")
    assert rows.headers["content-disposition"] == 'attachment; filename="contacts failed rows.csv"'
    assert rows.text.count("\n") == 3
    columns = await seen(dashboard, f"{own}/columns")
    assert "_email _email It is called like the field" in columns
    api_page = await api.get(
        f"/imports/{run_id}/problems", params={"column": "_points"}, headers=dashboard.account.headers
    )
    assert [each["code"] for each in api_page.json()["results"]] == ["type_error"]


async def test_a_held_run_goes_on_or_is_cancelled_by_whoever_may(dashboard: Dashboard, api: httpx.AsyncClient) -> None:
    held = STATES["halted"][0]
    run_id = await imported(dashboard, api)
    own = f"/app/runs/{run_id}"
    assert "waits for a decision" in await seen(dashboard, f"{own}/resume", 409)
    assert "still going on" in await seen(dashboard, f"{own}/delete", 409)
    await set_run(dashboard, run_id, held)
    viewer = await dashboard.as_role("viewer")
    assert f'href="{own}/resume"' not in (await viewer.get(own)).text
    assert (await viewer.post(f"{own}/resume")).status_code == 403
    assert "3 rows remain. It continues where it stopped" in await seen(dashboard, f"{own}/resume")
    (action,) = re.findall(r'action="([^"]*/resume[^"]*)"', (await dashboard.get(f"{own}/resume")).text)
    assert "and not with plan 99" in (await dashboard.post(f"{own}/resume?plan=99")).text
    assert (await dashboard.post(action)).headers["location"] == own
    assert "The import continues." in await seen(dashboard, own)
    await set_run(dashboard, run_id, held)
    assert "Nothing was written; 3 rows were not looked at. It cannot be continued" in await seen(
        dashboard, f"{own}/cancel"
    )
    assert (await dashboard.post(f"{own}/cancel")).headers["location"] == own
    assert "Cancelled" in await seen(dashboard, own)
    assert "are deleted. The 0 rows that went in stay" in await seen(dashboard, f"{own}/delete")
    assert (await dashboard.post(f"{own}/delete")).headers["location"] == "/app/jobs"
    assert "“contacts.csv” is deleted." in await seen(dashboard, "/app/jobs")
    await seen(dashboard, own, 404)


async def test_a_run_that_has_written_is_cancelled_and_that_is_taken_back(
    dashboard: Dashboard, api: httpx.AsyncClient
) -> None:
    run_id = await imported(dashboard, api)
    own = f"/app/runs/{run_id}"
    assert "take back" not in await seen(dashboard, f"{own}/cancel")  # nothing is written
    runtime = dashboard.runtime
    short = replace(runtime, settings=runtime.settings.model_copy(update={"batch_rows": 1, "slice_seconds": 0.0}))
    await work_on(short, RunId(run_id), work)
    assert "Running" in await seen(dashboard, own)
    assert f'href="{own}/cancel"' in (await dashboard.get("/app/jobs")).text
    asked = await seen(dashboard, f"{own}/cancel")
    assert "1 row was written and stays; " in asked
    assert "Cancel, and take back what it wrote" in asked
    answer = await dashboard.post(f"{own}/cancel?undo=true")
    undo = answer.headers["location"]
    assert undo not in (own, "")
    assert "This takes back what it has written." in await seen(dashboard, undo)
    assert "The import was cancelled. 1 row was written and stays" in await seen(dashboard, own)
    assert "nothing to cancel" in await seen(dashboard, f"{own}/cancel", 409)


async def test_a_pruned_run_is_gone_and_another_accounts_run_is_nowhere(
    dashboard: Dashboard, api: httpx.AsyncClient, runtime: Runtime, finish: Finish
) -> None:
    run_id = await imported(dashboard, api)
    await finish(runtime, run_id)
    await set_run(dashboard, run_id, "pruned_at = now()")
    assert "imports are kept for 30 days" in await seen(dashboard, f"/app/runs/{run_id}", 410)
    other = await http.make_account(runtime)
    foreign = (await post(api, other)).json()["id"]
    for path in ("", "/problems", "/columns", "/failed-rows.csv", "/resume", "/cancel", "/delete"):
        await seen(dashboard, f"/app/runs/{foreign}{path}", 404)
    assert (await dashboard.get(f"/app/live?page=run&run={foreign}")).status_code == 404


async def test_the_page_of_a_run_does_at_most_six_queries(
    dashboard: Dashboard, api: httpx.AsyncClient, finish: Finish
) -> None:
    run_id = await imported(dashboard, api)
    statements: list[str] = []

    def note(*given: Any) -> None:
        statements.append(given[2])

    engine = dashboard.runtime.database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await dashboard.get(f"/app/runs/{run_id}")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(statements) <= 6, statements


async def test_a_page_that_finds_no_free_stream_asks_once_for_its_regions(
    dashboard: Dashboard, api: httpx.AsyncClient, finish: Finish
) -> None:
    async def ask(page: str) -> httpx.Response:
        address = re.search(r'data-live="([^"]+)"', page)
        assert address is not None
        return await dashboard.get(html.unescape(address[1]) + "&once=true")

    nothing = (await dashboard.get("/app/jobs")).text
    assert "new job" not in (await ask(nothing)).text
    run_id = await imported(dashboard, api)
    assert "1 new job. Show" in (await ask(nothing)).text
    page = (await dashboard.get("/app/jobs")).text
    newer = await imported(dashboard, api, name="Newer")
    asked = await ask(page)
    assert "1 new job. Show" in asked.text
    assert f'id="state-{run_id}"' in asked.text
    assert newer not in asked.text.partition('id="arrived"')[2], "nothing moves under the reader"
    await finish(dashboard.runtime, run_id)
    ended = await dashboard.get(f"/app/live?page=run&run={run_id}&once=true")
    assert ended.headers["sluice-live"] == "ended"
    assert (await dashboard.get("/app/live?page=nothing")).status_code == 404


async def test_at_most_four_streams_of_a_session_are_open(dashboard: Dashboard, api: httpx.AsyncClient) -> None:
    run_id = await imported(dashboard, api)
    streams = dashboard.runtime.under_way.streams
    async with dashboard.runtime.database.read() as session:
        own = (await session.execute(text("SELECT id FROM sessions ORDER BY created_at DESC LIMIT 1"))).scalar_one()
    streams[own] = 4
    try:
        refused = await dashboard.get(f"/app/live?page=run&run={run_id}")
    finally:
        del streams[own]
    assert refused.status_code == 429
    await asyncio.sleep(0)


async def test_an_import_is_undone_from_its_page_which_says_before_what_will_happen(
    dashboard: Dashboard, api: httpx.AsyncClient, finish: Finish
) -> None:
    run = await imported(dashboard, api, b"_email,_name\nuno@example.org,Uno\nduo@example.org,Duo\n")
    await finish(dashboard.runtime, run)
    page = await dashboard.get(f"/app/runs/{run}")
    assert f'href="/app/runs/{run}/undo">Undo, until' in page.text
    words = await seen(dashboard, "/app/records/contacts/uno@example.org")
    assert "History" in words
    assert ", line 2" in words.partition("History")[2]
    words = await seen(dashboard, f"/app/runs/{run}/undo")
    assert "Remove 2 records that it has created" in words
    assert "Restore" not in words
    begun = await dashboard.post(f"/app/runs/{run}/undo")
    undo = begun.headers["location"].rpartition("/")[2].partition("?")[0]
    await finish(dashboard.runtime, undo)
    words = await seen(dashboard, f"/app/runs/{undo}")
    assert "2 records that had been created are removed" in words
    assert "restored" not in words
    assert "that no row names" not in words
    assert "/rerun" not in words
    page = await dashboard.get(f"/app/runs/{run}")
    assert f'<a href="/app/runs/{undo}">See what was taken back</a>' in page.text
    assert "Undo, until" not in page.text
