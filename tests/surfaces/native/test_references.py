"""Records that name others leave in an export and come back, in the same account and in an empty one."""

from typing import Any

import httpx

from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import Account
from tests.surfaces.native.test_exports import download, export

MARKS = {"key": "slug", "fields": [{"id": "slug", "type": "text"}]}
PLACES = {
    "key": "code",
    "fields": [
        {"id": "code", "type": "integer"},
        {"id": "owner", "type": "reference", "to": "contacts"},
        {"id": "inside", "type": "reference", "to": "places"},
        {"id": "tags", "type": "list", "separator": ";", "to": "marks"},
        {"id": "near", "type": "list", "to": "places"},
    ],
}
# What is named has the greater key, so that the order of the keys would be wrong.
ROWS = """code,owner,inside,tags,near
9,Ann@Example.org,,a b;c,
7,,9,,9
5,ann@example.org,7,"c;'x,y",9|07
1,,+5.0,"[""p;q"", ""c""]",
"""
FILES = {"contacts": "_email\nann@example.org\n", "marks": 'slug\na b\nc\np;q\n"\'x,y"\n', "places": ROWS}


async def test_what_names_records_comes_back_unchanged_and_goes_into_an_empty_account(
    client: httpx.AsyncClient, a_key: NewAccount, runtime: Runtime, finish: Finish
) -> None:
    async def send(account: Account, type_: str, content: str | bytes, name: str = "x.csv") -> dict[str, Any]:
        form = {"type": type_, "overrideExisting": "true", "updateOnlyEmptyFields": "false", "delimiter": "auto"}
        run = await client.post("/imports", headers=account.headers, data=form, files={"file": (name, content)})
        assert run.status_code == 201, run.text
        await finish(runtime, run.json()["id"])
        ended: dict[str, Any] = (await client.get(f"/imports/{run.json()['id']}", headers=account.headers)).json()
        assert ended["errors"] == 0, (await client.get(ended["errorReportFileUrl"], headers=account.headers)).text
        return ended

    async def save(account: Account, type_: str, **body: object) -> bytes:
        return (
            await download(client, account, await export(client, account, runtime, finish, type=type_, **body))
        ).content

    first, second = await a_key(), await a_key()
    for account in (first, second):
        for name, declared in (("marks", MARKS), ("places", PLACES)):
            assert (await client.put(f"/types/{name}", headers=account.headers, json=declared)).status_code == 201
    for name, content in FILES.items():
        await send(first, name, content)
    saved = {name: await save(first, name) for name in FILES}
    assert saved["places"].decode().splitlines()[1:] == [
        "9,ann@example.org,,a b;c,", "7,,9,,9", '5,ann@example.org,7,"c;\'x,y",9|7', """1,,5,"[""p;q"", ""c""]",""",
    ]  # fmt: skip
    for name, file in saved.items():
        assert (await send(first, name, file))["unchanged"] == file.count(b"\n") - 1
        assert (await send(second, name, file))["created"] == file.count(b"\n") - 1
    assert {name: await save(second, name) for name in FILES} == saved

    lines = await save(first, "places", format="jsonl")
    assert await save(second, "places", format="jsonl") == lines
    assert (await send(second, "places", lines, "x.jsonl"))["unchanged"] == 4
