"""A queue that is full says what holds its places and when one is free; a run that waits says what for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runs.kinds import Kind
from app.runs.overview.queue import LATEST, SOONEST, UNMEASURED, Queue, RunPace, first_free_in
from app.runs.progress import Outcome
from app.runs.states import State
from app.runs.status import Status
from app.runtime import Runtime
from app.storage.database import PLAN_VERSION
from tests.conftest import Finish, NewAccount
from tests.dashboard.test_run_words import run_with
from tests.support.http import Account, post


async def change(runtime: Runtime, run_id: str, assignments: str) -> None:
    async with runtime.database.transaction() as session:
        # PostgreSQL lets nobody claim a run who does not say that he knows its plan.
        await session.execute(text("SELECT set_config('sluice.plan_version', '1000', true)"))
        await session.execute(text(f"UPDATE runs SET {assignments} WHERE id = :id"), {"id": run_id})


async def read(client: httpx.AsyncClient, account: Account, path: str) -> dict[str, Any]:
    return dict((await client.get(path, headers=account.headers)).json())


async def test_a_full_queue_says_what_holds_its_places(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount, runtime: Runtime
) -> None:
    ids = [(await post(client, an_account, name=f"Nr {number}")).json()["id"] for number in range(10)]
    await change(
        runtime,
        ids[0],
        "state = 'running', started_at = now() - interval '30 s', total = 100, created = 60, waiting_for = 'database'",
    )
    await change(runtime, ids[1], "state = 'halted', held_at = now(), fail_code = 'brake', fail_detail = 'Enough'")
    refused = await post(client, an_account)
    body = refused.json()
    assert (refused.status_code, body["code"], body["type"]) == (400, "E0401", "urn:sluice:problem:queue_full")
    assert (body["queue"]["limit"], body["queue"]["open"]) == (10, 10)
    first, second, *others = body["queue"]["runs"]
    assert first.pop("etaSeconds") in range(19, 23)
    assert int(refused.headers["retry-after"]) in range(19, 23)  # when the first one is likely to have ended
    assert first == {
        "id": ids[0],
        "kind": "import",
        "type": "contacts",
        "name": "Nr 0",
        "status": "running",
        "percent": 60.0,
        "waitingFor": "database",
    }
    assert (second["name"], second["status"]) == ("Nr 1", "halted")
    assert [each["id"] for each in others] == ids[2:]
    writer = await a_key(["imports:write"], an_account.name)
    unseen = await post(client, writer)
    assert (unseen.status_code, "queue" in unseen.json()) == (400, False), "it may not read imports"


async def test_a_full_queue_of_exports_says_the_same(client: httpx.AsyncClient, an_account: Account) -> None:
    answers = [
        await client.post("/exports", headers=an_account.headers, json={"type": "contacts", "name": "Nightly"})
        for _ in range(6)
    ]
    refused = answers[-1]
    assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
    assert [each["id"] for each in refused.json()["queue"]["runs"]] == [each.json()["id"] for each in answers[:5]]
    assert int(refused.headers["retry-after"]) == UNMEASURED


def open_run(state: State, eta: int | None = None) -> Status:
    outcome: Outcome | None = None
    return Status(run_with(state=state), None, 0.0, eta, outcome)


@pytest.mark.parametrize(
    ("etas", "held", "lasting", "seconds"),
    [
        ([90, 40, None], 0, None, 40),
        ([90, None], 0, 25.4, 25),  # one that has not begun may be as short as the last ones
        ([90], 3, 25.4, 90),  # held ones do not end by themselves
        ([], 4, 25.4, LATEST),
        ([None], 0, None, UNMEASURED),
        ([None], 0, 0.01, SOONEST),
        ([9_000], 0, None, LATEST),
    ],
)
def test_the_first_place_is_free_when_the_first_run_has_ended(
    etas: list[int | None], held: int, lasting: float | None, seconds: int
) -> None:
    open_runs = [open_run(State.RUNNING if eta else State.QUEUED, eta) for eta in etas]
    queue = Queue(Kind.IMPORT, 10, [*open_runs, *[open_run(State.HALTED)] * held])
    assert first_free_in(queue, RunPace(None, lasting)) == seconds


async def test_a_run_that_waits_says_what_for_and_when_it_starts(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    earlier = (await post(client, an_account)).json()["id"]
    await finish(runtime, earlier)
    await change(runtime, earlier, "created_at = started_at - interval '50 s'")
    first, second = [(await post(client, an_account)).json() for _ in range(2)]
    assert first["waitsFor"]["code"] == "turn"
    assert second["waitsFor"]["detail"].startswith("It is number 2 of those that wait. Runs take turns of about")
    for of in ("imports", "runs"):
        seen = await read(client, an_account, f"/{of}/{second['id']}")
        assert seen["waitsFor"] == {"code": "worker", "detail": "No worker is running"}
        assert "startsAt" not in seen
    await runtime.queue.send_heartbeat("test", PLAN_VERSION)
    seen = await read(client, an_account, f"/imports/{second['id']}")
    await runtime.queue.remove_worker("test")
    assert seen["waitsFor"] == second["waitsFor"]
    starts = datetime.fromisoformat(seen["startsAt"])
    assert timedelta(seconds=49) < starts - datetime.fromisoformat(seen["createdAt"]) < timedelta(seconds=51)


@pytest.mark.parametrize(
    ("assignments", "code", "detail"),
    [
        ("state = 'running', waiting_for = 'secrets', due_at = now() + interval '20 s'", "secrets", "credentials"),
        ("state = 'running', waiting_for = 'source', due_at = now() + interval '20 s'", "source", "has the file"),
        (
            "state = 'halted', held_at = now(), fail_code = 'brake', fail_detail = 'Too much'",
            "decision",
            "Too much. Somebody has to resume or cancel it",
        ),
        ("state = 'running', lease_until = now() + interval '9 s'", None, ""),
        ("state = 'failed', waiting_for = 'source', fail_code = 'source_read', finished_at = now()", None, ""),
    ],
)
async def test_what_a_run_waits_for_is_told_and_when_it_is_tried_again(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, assignments: str, code: str | None, detail: str
) -> None:
    run_id = (await post(client, an_account)).json()["id"]
    await change(runtime, run_id, assignments)
    for of in ("imports", "runs"):
        seen = await read(client, an_account, f"/{of}/{run_id}")
        assert seen.get("waitsFor", {}).get("code") == code
        assert detail in seen.get("waitsFor", {}).get("detail", "")
        assert ("startsAt" in seen) == ("due_at" in assignments)
        if "startsAt" in seen:
            left = datetime.fromisoformat(seen["startsAt"]) - datetime.now(UTC)
            assert timedelta(seconds=10) < left <= timedelta(seconds=20)
