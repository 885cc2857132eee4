"""What grows with every run that ever was: what is left of a run, and what a scrape of the metrics reads."""

import re

import httpx
from sqlalchemy import text

from app.runs.deletion import prune_runs
from app.runs.states import ENDED, State
from app.runtime import Runtime
from app.storage import runs
from tests.conftest import Finish
from tests.support.http import Account, post


async def test_of_a_pruned_run_no_plan_and_no_options_are_left(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    run = (await post(client, an_account)).json()["id"]
    await finish(runtime, run)
    async with runtime.database.transaction() as session:
        await session.execute(
            text("UPDATE runs SET finished_at = now() - interval '31 days' WHERE id = :id"), {"id": run}
        )
    await prune_runs(runtime)
    async with runtime.database.read() as session:
        row = await runs.get(session, an_account.id, run)
    assert row is not None
    assert row["pruned_at"] is not None
    assert (row["plan"], row["options"], row["source"], row["notify"]) == ({}, {}, None, None)
    for path in ("", "/problems", "/failed-rows.csv"):
        assert (await client.get(f"/imports/{run}{path}", headers=an_account.headers)).status_code == 410


OPEN_STATES = {state.value for state in State if state not in ENDED}


async def test_a_scrape_reads_open_runs_only(client: httpx.AsyncClient, runtime: Runtime, an_account: Account) -> None:
    await post(client, an_account)
    async with runtime.database.transaction() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join((await session.execute(text(f"EXPLAIN {runs.FIGURES}"))).scalars())
    assert re.search(r"Index Scan (on|using) runs_unfinished", plan), plan
    metrics = (await client.get("/metrics")).text
    assert set(re.findall(r'^sluice_runs\{state="([a-z]+)"\}', metrics, re.MULTILINE)) == OPEN_STATES


TOMBSTONE = """
UPDATE runs SET state = 'failed', fail_code = 'worker_crashed', removed = :removed,
    finished_at = now() - make_interval(days => :days), pruned_at = now() WHERE id = :id"""


async def test_a_year_after_its_end_not_even_the_id_of_a_run_is_left(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account
) -> None:
    older, child, old, younger, replacing = [(await post(client, an_account)).json()["id"] for _ in range(5)]

    async def ask() -> list[int]:
        await prune_runs(runtime)
        paths = [f"/imports/{run}" for run in (old, younger, replacing)]
        return [(await client.get(path, headers=an_account.headers)).status_code for path in paths]

    async with runtime.database.transaction() as session:
        for run, days, removed in ((old, 366, None), (younger, 364, None), (replacing, 366, 3)):
            await session.execute(text(TOMBSTONE), {"id": run, "days": days, "removed": removed})
        await session.execute(
            text("UPDATE runs SET parent_id = :old, relation = 'rerun' WHERE id = :child"), {"old": old, "child": child}
        )
    # An import that was accepted before a replacement, and has not ended, asks for it.
    assert await ask() == [404, 410, 410]
    assert (await client.get(f"/imports/{child}", headers=an_account.headers)).status_code == 200
    for open_one in (older, child):
        await client.post(f"/runs/{open_one}/cancel", headers=an_account.headers)
    assert await ask() == [404, 410, 404]
