"""Polls that are answered with bytes from before: they change the moment anything does that the answer is made of."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from app.auth.keys import revoke_key
from app.runtime import Runtime
from app.storage.access import administered
from app.web.responses.rendered import MOST_ANSWERS, MOST_CHARACTERS, RenderedAnswers
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, post


@pytest.fixture
async def path(client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish) -> str:
    """Where an import is read that has ended and was read before."""
    run_id = (await post(client, an_account)).json()["id"]
    await finish(runtime, run_id)
    await client.get(f"/imports/{run_id}", headers=an_account.headers)
    return f"/imports/{run_id}"


async def change(runtime: Runtime, path: str, statement: str, **values: object) -> None:
    async with runtime.database.transaction() as session:
        await session.execute(text(f"UPDATE runs SET {statement} WHERE id = :id"), values | {"id": path[9:]})


async def read(client: httpx.AsyncClient, path: str, account: Account, **headers: str) -> httpx.Response:
    answer = await client.get(path, headers=account.headers | headers)
    again = await client.get(path, headers=account.headers | headers)
    assert again.content == answer.content
    return again


async def test_an_answer_is_rendered_once_and_again_when_its_row_is_another_one(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, path: str
) -> None:
    before = await read(client, path, an_account)
    for name in ("first", "second"):
        await change(runtime, path, "name = :name", name=name)
        after = await client.get(path, headers=an_account.headers | {"If-None-Match": before.headers["etag"]})
        assert (after.status_code, after.json()["name"]) == (200, name)
        assert after.headers["etag"] != before.headers["etag"]
        before = after
    same = await client.get(path, headers=an_account.headers | {"If-None-Match": before.headers["etag"]})
    assert same.status_code == 304


async def test_an_answer_names_the_host_that_each_request_names(
    client: httpx.AsyncClient, an_account: Account, path: str
) -> None:
    for host in ("one.test", "two.test:8080", "one.test", f"{'long.' * 60}test"):
        answer = await read(client, path, an_account, Host=host)
        assert answer.json()["links"]["self"] == f"http://{host}{path}"


async def test_a_quota_that_is_set_counts_from_the_next_answer_on(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, path: str
) -> None:
    before = (await read(client, path, an_account)).json()
    async with runtime.database.transaction() as session:
        await administered.set_quotas(session, an_account.id, '{"retention_days": 3}')
    after = (await read(client, path, an_account)).json()
    kept = datetime.fromisoformat(after["expiresAt"]) - datetime.fromisoformat(after["finishedAt"])
    assert kept == timedelta(days=3)
    assert after["expiresAt"] < before["expiresAt"]


async def test_nobody_else_gets_an_answer_that_is_kept(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, path: str, a_key: NewAccount
) -> None:
    await read(client, path, an_account)
    assert (await client.get(path, headers=(await a_key()).headers)).status_code == 404
    async with runtime.database.transaction() as session:
        await revoke_key(session, an_account.key.partition(":")[0])
    assert (await client.get(path, headers=an_account.headers)).status_code == 401


async def test_an_import_that_was_deleted_is_not_answered_any_more(
    client: httpx.AsyncClient, an_account: Account, path: str
) -> None:
    await read(client, path, an_account)
    assert (await client.delete(path, headers=an_account.headers)).status_code == 204
    assert (await client.get(path, headers=an_account.headers)).status_code == 404


async def test_what_ends_by_the_clock_ends_in_answers_that_are_kept(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, path: str
) -> None:
    days = runtime.settings.undo_days
    assert days
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    options = json.dumps({"undoable": True})
    await change(
        runtime, path, "finished_at = :at, options = options || CAST(:options AS jsonb)",
        at=soon - timedelta(days=days), options=options,
    )  # fmt: skip
    assert "undoableUntil" in (await client.get(path, headers=an_account.headers)).json()
    while datetime.now(UTC) <= soon:
        await client.get(path, headers=an_account.headers)
    assert "undoableUntil" not in (await client.get(path, headers=an_account.headers)).json()


def render(rendered: RenderedAnswers, about: str, made_of: object, body: bytes) -> bytes:
    return rendered.render(about, made_of, lambda: body)


def test_few_answers_are_kept_and_none_that_is_large() -> None:
    answers = RenderedAnswers()
    for number in range(MOST_ANSWERS + 1):
        render(answers, f"run {number}", number, b"old")
    assert render(answers, "run 0", 0, b"new") == b"new"
    assert render(answers, f"run {MOST_ANSWERS}", MOST_ANSWERS, b"new") == b"old"
    for large in ("x" * MOST_CHARACTERS, "small"):
        render(answers, "large", large, b"x" * (MOST_CHARACTERS + 1))
        assert render(answers, "large", large, b"y" * (MOST_CHARACTERS + 1)).startswith(b"y")
