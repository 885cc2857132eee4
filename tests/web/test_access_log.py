"""The access log: one line a request, that says who asked for what, but no key of a record, query or secret."""

import json

import pytest

from app.runtime import Runtime
from tests.conftest import NewAccount
from tests.support.http import PARTS, app_on, client_of, post


async def test_a_request_is_one_line_that_names_the_caller(
    runtime: Runtime, a_key: NewAccount, logged: pytest.CaptureFixture[str]
) -> None:
    account = await a_key(name="acme")
    async with client_of(app_on(runtime)) as client:
        answers = [
            await client.get("/imports?limit=7", headers=account.headers),
            await client.get("/records/contacts/ana@example.com", headers=account.headers),
            await client.get("/v1/customers/ana@example.com", headers=account.headers),
            await client.get("/imports/none-such", headers=account.headers),
            await client.get("/record/contacts/ana@example.com/x"),
            await client.get(f"/v1/{account.key}"),
            await client.get("/healthz"),
            await client.get("/metrics"),
        ]
    told = logged.readouterr().err
    lines = [json.loads(line) for line in told.splitlines() if '"request_served"' in line]

    paths = [
        "/imports",
        "/records/contacts/{key}",
        "/v1/customers/{key}",
        "/imports/none-such",
        "/record/contacts/…",
        "/v1/…",
    ]
    assert [line["path"] for line in lines] == paths
    assert [line["status"] for line in lines] == [answer.status_code for answer in answers[:6]]
    assert [line["bytes"] for line in lines] == [len(answer.content) for answer in answers[:6]]
    assert [line["account"] for line in lines] == ["acme"] * 4 + [None] * 2
    assert {line["key"] for line in lines[:4]} == {account.key.partition(":")[0]}
    assert all(line["ms"] > 0 for line in lines)
    assert "ana@" not in told
    assert "limit" not in told
    assert account.key.partition(":")[2] not in told


async def test_a_refused_import_says_why_without_a_cell(
    runtime: Runtime, a_key: NewAccount, logged: pytest.CaptureFixture[str]
) -> None:
    account = await a_key()
    async with client_of(app_on(runtime)) as client:
        await post(client, account, b"ana@example.com,Ana\nbo@example.com,Bo\n")
        await post(client, account, parts=PARTS | {"delimiter": "x"})
    told = logged.readouterr().err
    refusals = [json.loads(line) for line in told.splitlines() if "run_refused" in line]

    assert [line["reason"] for line in refusals] == [
        "The request is not valid: file",
        "The request is not valid: delimiter",
    ]
    assert "ana@" not in told.lower()
