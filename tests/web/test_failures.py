"""Failures: always a JSON body, in the shape of the surface that the path belongs to, and never a word of a driver."""

import json
from dataclasses import replace

import httpx
import pytest

from app.errors import REFUSALS
from app.runtime import Runtime
from app.storage.database import Database
from app.web.failures import STATUSES
from tests.support.http import Account, app_on, client_of


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/imports/x/y/z", "application/json"),
        ("/importsx", "application/problem+json"),
        ("/nowhere", "application/problem+json"),
        ("/nothing/here", "application/problem+json"),
        ("/types/", "application/json"),
    ],
)
async def test_an_unknown_path_answers_in_the_shape_of_its_surface(
    client: httpx.AsyncClient, an_account: Account, path: str, kind: str
) -> None:
    answer = await client.get(path, headers=an_account.headers)
    assert answer.headers["content-type"] == kind
    if answer.status_code == 404:
        assert answer.json()["instance"] == path


@pytest.mark.parametrize(
    ("method", "path", "allow", "kind"),
    [
        ("PATCH", "/imports", "GET, HEAD, POST", "application/json"),
        ("PUT", "/imports/", "GET, HEAD, POST", "application/json"),
        ("POST", "/imports/x", "DELETE, GET, HEAD", "application/json"),
        ("POST", "/imports/x/problems", "GET, HEAD", "application/json"),
        ("POST", "/types/x", "DELETE, GET, HEAD, PUT", "application/problem+json"),
        ("POST", "/healthz", "GET, HEAD", "application/problem+json"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    client: httpx.AsyncClient, method: str, path: str, allow: str, kind: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"], answer.headers["content-type"]) == (405, allow, kind)
    assert answer.json()["code"] == "method_not_allowed"


async def test_every_answer_has_a_request_id_of_its_own(client: httpx.AsyncClient, an_account: Account) -> None:
    paths = ["/healthz", "/nothing", "/imports", "/imports/x", "/imports"]
    ids = {(await client.get(path, headers=an_account.headers)).headers["x-request-id"] for path in paths}
    assert len(ids) == len(paths)


async def test_what_breaks_is_told_by_an_id_that_is_in_the_log(
    runtime: Runtime, an_account: Account, database_url: str, logged: pytest.CaptureFixture[str]
) -> None:
    # A column that is gone: PostgreSQL's complaint would repeat the statement.
    broken = Database(database_url.replace("/tests", "/postgres"), pool_size=1)
    async with client_of(app_on(replace(runtime, database=broken))) as client:
        imports = await client.get("/imports", headers=an_account.headers)
        types = await client.get("/types", headers=an_account.headers)
    await broken.close()

    for answer, kind in ((imports, "application/json"), (types, "application/problem+json")):
        body = answer.json()
        assert (answer.status_code, body["status"], body["code"]) == (500, 500, "internal_error")
        assert answer.headers["content-type"] == kind
        assert answer.headers["x-request-id"] in body["detail"]
        assert "api_keys" not in answer.text
        assert "asyncpg" not in answer.text
    lines = [json.loads(line) for line in logged.readouterr().err.splitlines() if "request_crashed" in line]
    assert [line["request_id"] for line in lines] == [answer.headers["x-request-id"] for answer in (imports, types)]
    assert "42P01" in lines[0]["error"]
    assert an_account.key not in str(lines)


async def test_nul_is_nowhere_a_crash(client: httpx.AsyncClient, an_account: Account) -> None:
    paths = ["/records/%00", "/records/contacts/%00", "/types/%00", "/coupon-sets/%00", "/imports/%00", "/%00"]
    paths += ["/imports?type=%00", "/records/contacts?cursor=%00", "/imports?status=%00", "/imports?x=%00"]
    for path in paths:
        for method in ("GET", "PUT", "DELETE"):
            answer = await client.request(method, path, headers=an_account.headers)
            assert answer.status_code in (404, 405, 422), (method, path, answer.text)


@pytest.mark.parametrize(
    "path", ["/imports", "/imports/", "/types", "/connections", "/v1/customers", "/v2/jobs", "/v2/products", "/healthz"]
)
async def test_a_line_break_behind_a_path_makes_it_another(
    client: httpx.AsyncClient, an_account: Account, path: str
) -> None:
    """It would match all the same: in a regular expression `$` stands before a last line break, too."""
    assert (await client.get(path, headers=an_account.headers)).status_code == 200
    assert (await client.get(f"{path}%0A", headers=an_account.headers)).status_code == 404


def test_every_refusal_has_a_status_on_our_surface() -> None:
    assert STATUSES.keys() == REFUSALS.keys() | {"internal_error"}
