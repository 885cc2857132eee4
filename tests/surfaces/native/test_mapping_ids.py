"""`mappingId`: an import with a stored template, or with the default one."""

import asyncio
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import Account

COLUMNS: list[dict[str, Any]] = [
    {"column": "E-Mail", "field": "_email"},
    {"column": "Vorname", "field": "_name"},
    {"column": "Geboren", "field": "_birthdate", "dateFormat": "DD.MM.YYYY"},
    {"column": "Notiz", "ignore": True},
]
OPTIONS = {"delimiter": ";", "encoding": "windows-1252", "overrideExisting": False}
FILE = "E-Mail;Vorname;Geboren;Notiz\nana@example.com;Zoë;31.01.1990;x\n".encode("cp1252")


async def store(client: httpx.AsyncClient, account: Account, **other: Any) -> str:
    body = {"name": "People", "type": "contacts", "columns": COLUMNS, "options": OPTIONS} | other
    answer = await client.post("/mappings", headers=account.headers, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def send(client: httpx.AsyncClient, account: Account, file: bytes = FILE, **parts: str) -> httpx.Response:
    files = {"file": ("a.csv", file, "text/csv")}
    return await client.post("/imports", headers=account.headers, data={"type": "contacts", **parts}, files=files)


async def read_record(client: httpx.AsyncClient, account: Account, key: str) -> Any:
    return (await client.get(f"/records/contacts/{key}", headers=account.headers)).json()["data"]


async def test_a_template_brings_its_columns_conversions_and_options(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    template = await store(client, an_account)
    answer = await send(client, an_account, mappingId=template)
    assert answer.status_code == 201, answer.text
    accepted = answer.json()
    assert accepted["mapping"] == {"id": template, "name": "People"}
    assert (accepted["options"]["delimiter"], accepted["options"]["overrideExisting"]) == (";", False)
    assert accepted["dialect"]["encoding"] == "windows-1252"
    await finish(runtime, accepted["id"])
    told = (await client.get(f"/imports/{accepted['id']}", headers=an_account.headers)).json()
    assert (told["mapping"], told["created"]) == (accepted["mapping"], 1)
    assert await read_record(client, an_account, "ana@example.com") == {
        "_email": "ana@example.com",
        "_name": "Zoë",
        "_birthdate": "1990-01-31",
    }
    again = await send(client, an_account, mappingId=template, overrideExisting="true")
    assert again.json()["options"]["overrideExisting"] is True


async def test_a_template_says_whether_an_import_can_be_undone_and_what_of_the_same_file(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    template = await store(client, an_account, options=OPTIONS | {"undoable": False, "ifSameFile": "refuse"})
    first = (await send(client, an_account, mappingId=template)).json()
    await finish(runtime, first["id"])
    undo = await client.post(f"/imports/{first['id']}/undo", headers=an_account.headers)
    assert (undo.status_code, undo.json()["code"]) == (409, "not_undoable")
    assert (await send(client, an_account, mappingId=template)).status_code == 409
    assert (await send(client, an_account, mappingId=template, ifSameFile="allow")).status_code == 201
    other = FILE.replace(b"ana@", b"eva@")
    kept = (await send(client, an_account, other, mappingId=template, undoable="true")).json()["id"]
    await finish(runtime, kept)
    assert "undoableUntil" in (await client.get(f"/imports/{kept}", headers=an_account.headers)).json()


async def test_a_template_says_for_which_type_it_is(client: httpx.AsyncClient, an_account: Account) -> None:
    template = await store(client, an_account)
    form = {"mappingId": (None, template), "file": ("a.csv", FILE, "text/csv")}
    accepted = await client.post("/imports", headers=an_account.headers, files=form)
    assert (accepted.status_code, accepted.json()["type"]) == (201, "contacts"), accepted.text
    source = {"transport": "https", "url": "https://files.example.com/a.csv"}
    pulled = await client.post("/imports/", headers=an_account.headers, json={"mappingId": template, "source": source})
    assert (pulled.status_code, pulled.json()["type"]) == (201, "contacts"), pulled.text
    place = {"name": "shop", "transport": "ftp", "host": "ftp.example.com"}
    connection = (await client.post("/connections", headers=an_account.headers, json=place)).json()["id"]
    wanted = {"path": "a.csv", "mappingId": template}
    started = await client.post(f"/connections/{connection}/imports", headers=an_account.headers, json=wanted)
    assert started.status_code == 201, started.text
    for mapping in ("default", "map_0"):
        refused = await client.post("/imports", headers=an_account.headers, files=form | {"mappingId": (None, mapping)})
        assert "`type` is required" in [each["reason"] for each in refused.json()["errors"]]


async def test_an_accepted_import_keeps_the_template_as_it_was(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    template = await store(client, an_account)
    accepted = (await send(client, an_account, mappingId=template)).json()
    path = f"/mappings/{template}"
    changed = {"name": "Changed", "columns": [{"column": "E-Mail", "field": "_externalId"}]}
    assert (await client.put(path, headers=an_account.headers, json=changed)).status_code == 200
    assert (await client.delete(path, headers=an_account.headers)).status_code == 204
    await finish(runtime, accepted["id"])
    told = (await client.get(f"/imports/{accepted['id']}", headers=an_account.headers)).json()
    assert (told["mapping"], told["errors"], told["created"]) == ({"id": template, "name": "People"}, 0, 1)
    assert (await read_record(client, an_account, "ana@example.com"))["_birthdate"] == "1990-01-31"
    columns = (await client.get(f"/imports/{accepted['id']}/columns", headers=an_account.headers)).json()
    assert [each["found"] for each in columns["results"]] == ["exact", "exact", "exact", "ignored"]
    assert (await send(client, an_account, mappingId=template)).status_code == 422


async def test_the_default_takes_ids_and_labels(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    accepted = (await send(client, an_account, b"Email,_name\nana@example.com,Ana\n", mappingId="default")).json()
    await finish(runtime, accepted["id"])
    assert await read_record(client, an_account, "ana@example.com") == {"_email": "ana@example.com", "_name": "Ana"}


@pytest.mark.parametrize("template", ["map_0", "nothing", "x" * 5_000, "map_\u00e9"])
async def test_a_template_that_is_not_there_is_refused(
    client: httpx.AsyncClient, an_account: Account, template: str
) -> None:
    answer = await send(client, an_account, mappingId=template)
    assert answer.status_code == 422
    assert [each["path"] for each in answer.json()["errors"]] == ["mappingId"]


async def test_a_template_of_another_account_or_type_is_refused(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount
) -> None:
    template = await store(client, an_account)
    stranger = await send(client, await a_key(), mappingId=template)
    assert (stranger.status_code, "People" in stranger.text) == (422, False)
    other = await send(client, an_account, mappingId=template, type="products")
    reason = 'The mapping template "People" is for the type `contacts`, and not for `products`'
    assert [each["reason"] for each in other.json()["errors"]] == [reason]
    both = await send(client, an_account, mappingId=template, mapping="{}")
    assert [each["reason"] for each in both.json()["errors"]] == ["Send either `mapping` or `mappingId`, not both"]


async def test_a_template_takes_the_scope_for_reading_it(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount
) -> None:
    template = await store(client, an_account)
    narrow = await a_key(scopes=["imports:write"], name=an_account.name)
    answer = await send(client, narrow, mappingId=template)
    assert answer.status_code == 403
    assert "`mappings:read`" in answer.json()["detail"]
    assert (await send(client, narrow, b"_email\nana@example.com\n", mappingId="default")).status_code == 201


async def test_a_template_that_names_the_encoding_comes_before_the_file(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    template = await store(client, an_account)
    file, chosen = ("file", ("a.csv", FILE, "text/csv")), ("mappingId", (None, template.encode()))
    kind = ("type", (None, b"contacts"))
    late = await client.post("/imports", headers=an_account.headers, files=[kind, file, chosen])
    assert late.status_code == 422
    early = await client.post("/imports", headers=an_account.headers, files=[chosen, file, kind])
    assert (early.status_code, early.json()["dialect"]["encoding"]) == (201, "windows-1252")


async def test_imports_at_once_and_changes_of_the_template_do_not_mix(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    """Each import goes by one version of the template, whichever it met."""
    template = await store(client, an_account, options={})
    path, file = f"/mappings/{template}", b"E-Mail,Vorname\n%d@example.com,Ana\n"
    versions = [[COLUMNS[0], {"column": "Vorname", "field": field}] for field in ("_name", "_surname")]
    changes = [
        client.put(path, headers=an_account.headers, json={"name": "People", "columns": version})
        for version in versions * 3
    ]
    sent = [send(client, an_account, file % number, mappingId=template) for number in range(5)]
    answers = (await asyncio.gather(*sent, *changes))[:5]
    for number, answer in enumerate(answers):
        await finish(runtime, answer.json()["id"])
        record = await read_record(client, an_account, f"{number}@example.com")
        assert record.keys() in ({"_email", "_name"}, {"_email", "_surname"})
