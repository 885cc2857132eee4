"""A halted import on every surface: what it is called, and how it is resumed and cancelled over HTTP."""

import re
from typing import Any

import httpx
import pytest

from app.errors import Halted
from app.runs.lifecycle import Stopping, work_on
from app.runs.model import Run, RunId
from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, post

WHY = "`maxErrors` is 20, but 37 of 100 rows failed"


async def be_braked(_runtime: Runtime, _run: Run, _stopping: Stopping) -> bool:
    raise Halted("brake", WHY)


@pytest.fixture
async def halted(client: httpx.AsyncClient, an_account: Account, runtime: Runtime) -> str:
    """The id of a halted import."""
    run_id = str((await post(client, an_account)).json()["id"])
    await work_on(runtime, RunId(run_id), be_braked)
    return run_id


async def read(client: httpx.AsyncClient, account: Account, path: str) -> dict[str, Any]:
    answer = await client.get(path, headers=account.headers)
    assert answer.status_code == 200, answer.text
    assert "Retry-After" not in answer.headers
    body: dict[str, Any] = answer.json()
    return body


async def test_rows_of_a_held_import_are_no_work_for_more_workers(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    async def count_waiting() -> int:
        shown = re.search(r"^sluice_rows_waiting (\d+)$", (await client.get("/metrics")).text, re.MULTILINE)
        return int(shown[1]) if shown else -1

    before = await count_waiting()
    accepted = (await post(client, an_account)).json()
    assert accepted["total"] > 0
    assert await count_waiting() == before + accepted["total"]
    await work_on(runtime, RunId(accepted["id"]), be_braked)
    assert await count_waiting() == before


async def test_each_surface_has_its_word_for_it(client: httpx.AsyncClient, an_account: Account, halted: str) -> None:
    connectif = await read(client, an_account, f"/imports/{halted}")
    assert (connectif["status"], connectif["held"], connectif["done"]) == ("error", "halted", False)
    assert connectif["failure"] == {"code": "brake", "detail": WHY}
    assert connectif["links"]["resume"].endswith(f"/imports/{halted}/resume")

    native = await read(client, an_account, f"/runs/{halted}")
    assert (native["status"], native["failure"]["detail"], native["done"]) == ("halted", WHY, False)
    assert native["links"]["cancel"].endswith(f"/runs/{halted}/cancel")
    assert [each["id"] for each in (await read(client, an_account, "/runs?status=halted"))["results"]] == [halted]
    assert [each["id"] for each in (await read(client, an_account, "/imports?status=error"))["results"]] == [halted]
    assert 'sluice_runs{state="halted"}' in (await client.get("/metrics")).text


@pytest.mark.parametrize("of", ["imports", "runs"])
async def test_it_is_resumed_and_goes_on(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish, halted: str, of: str
) -> None:
    for _ in range(2):  # the second answer is as good as the first
        resumed = await client.post(f"/{of}/{halted}/resume", headers=an_account.headers)
        assert (resumed.status_code, resumed.json()["status"]) == (200, "queued")
        assert "failure" not in resumed.json()
    await finish(runtime, halted)
    ended = await read(client, an_account, f"/{of}/{halted}")
    assert (ended["status"], ended["created"]) == ("finished", 2)
    refused = await client.post(f"/{of}/{halted}/cancel", headers=an_account.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_ended")


@pytest.mark.parametrize("of", ["imports", "runs"])
async def test_who_names_a_plan_resumes_that_one_and_no_other(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, halted: str, of: str
) -> None:
    async def resume(**body: Any) -> httpx.Response:
        return await client.post(f"/{of}/{halted}/resume", headers=an_account.headers, json=body)

    seen = (await read(client, an_account, f"/{of}/{halted}"))["plan"]
    for _ in range(2):  # the answer was lost
        resumed = await resume(plan=seen)
        assert (resumed.status_code, resumed.json()["status"], "plan" in resumed.json()) == (200, "queued", False)
    await work_on(runtime, RunId(halted), be_braked)  # and meanwhile it is halted once more
    late = await resume(plan=seen)
    now = (await read(client, an_account, f"/{of}/{halted}"))["plan"]
    assert (late.status_code, late.json()["code"]) == (409, "plan_changed")
    assert late.json()["detail"] == f"The run waits with plan {now} by now, and not with plan {seen}. {WHY}"
    wrong = await resume(plan=now, maxErrors=3)
    reason = "Limits are for `accept` any: without it the run does what it shows"
    assert wrong.json()["errors"] == [{"path": "", "reason": reason}]
    assert (await resume(plan=now, accept="any", maxErrors=3)).status_code == 200


@pytest.mark.parametrize("of", ["imports", "runs"])
async def test_it_is_cancelled_and_has_ended(
    client: httpx.AsyncClient, an_account: Account, halted: str, of: str
) -> None:
    for _ in range(2):
        cancelled = await client.post(f"/{of}/{halted}/cancel", headers=an_account.headers)
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    ended = await read(client, an_account, f"/{of}/{halted}")
    assert (ended["failure"]["code"], ended["done"], ended["outcome"]) == ("cancelled", True, "none")
    assert (await client.delete(f"/imports/{halted}", headers=an_account.headers)).status_code == 204


@pytest.mark.parametrize("path", ["imports/{}/resume", "imports/{}/cancel", "runs/{}/resume", "runs/{}/cancel"])
async def test_who_may_not_write_imports_may_not_decide(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount, halted: str, path: str
) -> None:
    for scopes, name, status in (
        (["imports:read"], an_account.name, 403),
        (["exports:write"], an_account.name, 403),
        (["imports:write"], None, 404),
    ):
        other = await a_key(scopes, name)
        answer = await client.post(f"/{path.format(halted)}", headers=other.headers)
        assert answer.status_code == status, answer.text
    assert (await read(client, an_account, f"/runs/{halted}"))["status"] == "halted"


async def test_vendors_pollers_see_a_job_that_waits_and_then_one_that_failed(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    sent = await client.post(
        "/v1/customers/importCSV", headers=an_account.headers, files={"file": ("c.csv", b"Source_id,Name\nc1,Ana\n")}
    )
    action = sent.json()["async_action_id"]
    await work_on(runtime, RunId(action.removeprefix("aa_")), be_braked)
    seen = await read(client, an_account, f"/v1/async-actions/{action}")
    assert (seen["status"], seen["operation_status"]) == ("IN_PROGRESS", "UNKNOWN")
    assert (await client.post(f"/imports/{action}/cancel", headers=an_account.headers)).status_code == 200
    seen = await read(client, an_account, f"/v1/async-actions/{action}")
    assert (seen["status"], seen["operation_status"]) == ("FAILED", "FAILED")
