"""The parts of an import that say what it may do at most: in a form, in JSON, in a template, and from a connection."""

from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import PARTS, Account, post

LIMITS: dict[str, Any] = {
    "maxErrors": 5,
    "maxErrorShare": 0.25,
    "maxCreated": 1,
    "maxUpdated": 7,
    "minRows": 1,
}


async def test_an_import_beyond_its_brakes_is_halted_and_shows_them(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    sent = await post(client, an_account, parts={name: str(limit) for name, limit in LIMITS.items()})
    assert sent.status_code == 201, sent.text
    assert {name: value for name, value in sent.json()["options"].items() if name in LIMITS} == LIMITS
    await finish(runtime, sent.json()["id"])
    seen = (await client.get(f"/imports/{sent.json()['id']}", headers=an_account.headers)).json()
    assert (seen["status"], seen["held"], seen["created"]) == ("error", "halted", 0)
    assert seen["failure"] == {
        "code": "brake",
        "detail": "`maxCreated` is 1, but 2 would be created. The import stopped before row 1; nothing is written",
    }


@pytest.mark.parametrize("as_json", [False, True])
async def test_what_is_no_limit_is_refused_with_all_other_mistakes(
    client: httpx.AsyncClient, an_account: Account, *, as_json: bool
) -> None:
    wrong: dict[str, Any] = {"maxErrors": -1, "maxErrorShare": 1.5, "maxCreated": 2_147_483_648, "minRows": 0.5}
    if as_json:
        wrong |= {"maxUpdated": [1]}
        body = {**PARTS, "source": {"transport": "https", "url": "https://files.example.com/a.csv"}, **wrong}
        refused = await client.post("/imports", headers=an_account.headers, json=body)
    else:
        wrong |= {"maxUpdated": "many"}
        refused = await post(client, an_account, parts={name: str(limit) for name, limit in wrong.items()})
    assert refused.status_code == 422
    told = {each["path"]: each["reason"] for each in refused.json()["errors"]}
    count, share = "must be a whole number from 0 to 2,147,483,647", "must be a number from 0 to 1"
    assert told == {name: f"`{name}` {share if name.endswith('Share') else count}" for name in wrong}


async def test_a_template_brings_brakes_along_and_a_request_overrides_them(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    template = {
        "name": "Nightly",
        "type": "contacts",
        "columns": [{"column": "_email", "field": "_email"}],
        "options": {"maxErrors": 5, "maxErrorShare": 0.25},
    }
    stored = await client.post("/mappings", headers=an_account.headers, json=template)
    assert stored.status_code == 201, stored.text
    sent = await post(client, an_account, parts={"mappingId": stored.json()["id"], "maxErrors": "9"})
    options = sent.json()["options"]
    assert (options["maxErrors"], options["maxErrorShare"]) == (9, 0.25)
    template["options"] = {"maxErrors": 1.5, "maxErrorShare": "half", "minRows": True}
    refused = await client.post("/mappings", headers=an_account.headers, json=template)
    assert [each["path"] for each in refused.json()["errors"]] == [
        "options.maxErrors",
        "options.maxErrorShare",
        "options.minRows",
    ]


async def test_imports_from_a_connection_take_them_too(client: httpx.AsyncClient, an_account: Account) -> None:
    connection = {"name": "shop", "transport": "https", "host": "files.example.com"}
    stored = await client.post("/connections", headers=an_account.headers, json=connection)
    address = f"/connections/{stored.json()['id']}/imports"
    body = {"path": "/a.csv", "type": "contacts"}
    started = await client.post(address, headers=an_account.headers, json=body | LIMITS)
    assert started.status_code == 201, started.text
    run = started.json()["results"][0]["importId"]
    shown = (await client.get(f"/imports/{run}", headers=an_account.headers)).json()["options"]
    assert {name: shown[name] for name in LIMITS} == LIMITS
    for wrong, paths in (
        ({"maxErrors": -1, "maxErrorShare": 1.5, "minRows": "1", "maxUpdated": True}, None),
        ({"overrideExisting": False, "updateOnlyEmptyFields": True}, {"updateOnlyEmptyFields"}),
        ({"maxRemoved": 1, "maxRemovedShare": 0.5}, None),
    ):
        refused = await client.post(address, headers=an_account.headers, json=body | wrong)
        assert {each["path"] for each in refused.json()["errors"]} == (paths or wrong.keys())
