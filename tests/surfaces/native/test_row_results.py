"""The rows of an import with what became of them, over HTTP."""

import json

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post

FILE = b"_email,_name\na@example.org,Ann\nnobody,Bob\nc@example.org,Cid\n"
CSV = "\ufeff_email,_name,_line,_outcome,_key,_codes,_messages\r\n"


@pytest.fixture
async def run(client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish) -> str:
    answer = await post(client, an_account, FILE)
    await finish(runtime, answer.json()["id"])
    return str(answer.json()["id"])


async def test_results_are_a_file_that_is_sent_once(client: httpx.AsyncClient, an_account: Account, run: str) -> None:
    path = f"/imports/{run}/results"
    answer = await client.get(path, headers=an_account.headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{run}-results.csv"'
    assert answer.text.startswith(f"{CSV}a@example.org,Ann,2,created,a@example.org,,\r\nnobody,Bob,3,failed,nobody,")

    known = {"If-None-Match": answer.headers["etag"]}
    again = await client.get(path, headers=an_account.headers | known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    other = await client.get(path, params={"outcome": "failed"}, headers=an_account.headers | known)
    assert other.status_code == 200


async def test_outcomes_and_the_format_can_be_chosen(client: httpx.AsyncClient, an_account: Account, run: str) -> None:
    path, lines = f"/imports/{run}/results", {"Accept": "application/x-ndjson"}
    answer = await client.get(path, params={"outcome": ["created", "updated"]}, headers=an_account.headers | lines)
    assert answer.headers["content-type"] == "application/jsonl; charset=utf-8"
    assert [json.loads(line)["_email"] for line in answer.text.splitlines()] == ["a@example.org", "c@example.org"]

    failed = await client.get(path, params={"outcome": "failed", "format": "csv"}, headers=an_account.headers | lines)
    assert len(failed.text.splitlines()) == 2
    wrong = await client.get(path, params={"outcome": "good"}, headers=an_account.headers)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")
