"""Mapping templates: stored by name, listed, replaced and deleted."""

import asyncio
from typing import Any

import httpx
import pytest

from app.mappings.templates import stored
from app.surfaces.native.wire.declared.mappings import MappingList, MappingTemplate
from tests.conftest import NewAccount
from tests.support.http import Account

COLUMNS: list[dict[str, Any]] = [
    {"column": "Art. no.", "field": "productId"},
    {"column": "Price", "field": "unitPrice", "decimalComma": True},
    {"column": "Valid from", "field": "publishedAt", "dateFormat": "DD.MM.YYYY"},
    {"column": "Blocked", "field": "isBlacklisted", "values": {"N": "false", "J": "true"}},
    {"column": "Tags", "field": "tags", "separator": ";"},
    {"column": "Internal note", "ignore": True},
]
TEMPLATE: dict[str, Any] = {
    "name": "Supplier A price list",
    "type": "products",
    "hasHeader": True,
    "columns": COLUMNS,
    "constants": {"brand": "Acme"},
    "options": {"delimiter": ";", "encoding": "windows-1252", "overrideExisting": True, "blankCells": "keep"},
}


async def make(client: httpx.AsyncClient, account: Account, **other: Any) -> httpx.Response:
    return await client.post("/mappings", headers=account.headers, json=TEMPLATE | other)


async def made(client: httpx.AsyncClient, account: Account, **other: Any) -> dict[str, Any]:
    answer = await make(client, account, **other)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_template_comes_back_as_it_was_sent(client: httpx.AsyncClient, an_account: Account) -> None:
    template = await made(client, an_account)
    assert template["id"].startswith("map_")
    assert {member: template[member] for member in TEMPLATE} == TEMPLATE
    # The order of columns, and of what a value stands for, is the caller's.
    assert list(template["columns"][3]["values"]) == ["N", "J"]
    assert list(template["columns"][0]) == ["column", "field"]
    read = await client.get(f"/mappings/{template['id']}", headers=an_account.headers)
    assert read.json() == template
    assert MappingTemplate.model_validate(read.json())


async def test_what_is_suggested_can_be_stored(client: httpx.AsyncClient, an_account: Account) -> None:
    file = {"file": ("a.csv", b"E-Mail;Vorname;Notiz\nana@example.com;Ana;x\n", "text/csv")}
    suggested = await client.post(
        "/mappings/suggest", headers=an_account.headers, data={"type": "contacts"}, files=file
    )
    mapping = suggested.json()["mapping"] | {"name": "Suggested"}
    stored_ = await client.post("/mappings", headers=an_account.headers, json=mapping)
    assert stored_.status_code == 201
    assert stored_.json()["columns"] == mapping["columns"]


async def test_a_template_is_replaced_by_what_is_read_of_it(client: httpx.AsyncClient, an_account: Account) -> None:
    template = await made(client, an_account)
    path = f"/mappings/{template['id']}"
    again = await client.put(path, headers=an_account.headers, json=template)
    assert again.status_code == 200
    assert {**again.json(), "updatedAt": ""} == {**template, "updatedAt": ""}
    renamed = await client.put(path, headers=an_account.headers, json={"name": "B", "columns": COLUMNS[:2]})
    assert renamed.status_code == 200
    assert (renamed.json()["name"], renamed.json()["type"], renamed.json()["columns"]) == ("B", "products", COLUMNS[:2])
    assert "options" not in renamed.json()
    other_type = await client.put(path, headers=an_account.headers, json=template | {"type": "contacts"})
    assert [each["path"] for each in other_type.json()["errors"]] == ["type"]


async def test_a_name_is_unique_for_its_type(client: httpx.AsyncClient, an_account: Account) -> None:
    first = await made(client, an_account)
    taken = await make(client, an_account)
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    contacts = [{"column": "Mail", "field": "_email"}]
    await made(client, an_account, type="contacts", columns=contacts, constants={})
    second = await made(client, an_account, name="Another")
    clash = await client.put(f"/mappings/{second['id']}", headers=an_account.headers, json=first)
    assert clash.status_code == 409
    at_once = await asyncio.gather(*(make(client, an_account, name="At once") for _ in range(8)))
    assert sorted(each.status_code for each in at_once) == [201] + [409] * 7


@pytest.mark.parametrize("name", [" a", "a ", "a\nb", "a\u2028b", "\u3000", "\x7f", "x" * 201, "", 5])
async def test_a_name_obeys_the_rules_of_the_names_of_runs(
    client: httpx.AsyncClient, an_account: Account, name: object
) -> None:
    refused = await make(client, an_account, name=name)
    reason = "`name` must be 1 to 200 characters long, without line breaks or surrounding spaces"
    assert (refused.status_code, refused.json()["errors"]) == (422, [{"path": "name", "reason": reason}])


async def test_a_name_is_the_same_however_its_accents_are_written(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    assert (await made(client, an_account, name="Cafe\u0301"))["name"] == "Caf\u00e9"
    assert (await make(client, an_account, name="Caf\u00e9")).status_code == 409


async def test_templates_are_listed_in_brief_by_name_and_type(client: httpx.AsyncClient, an_account: Account) -> None:
    contacts = {"type": "contacts", "columns": [{"column": "Mail", "field": "_email"}], "constants": {}}
    for name in ("b", "a", "c d"):
        await made(client, an_account, name=name)
        await made(client, an_account, name=name, **contacts)
    seen, path = [], "/mappings?limit=2"
    while path:
        page = (await client.get(path, headers=an_account.headers)).json()
        assert MappingList.model_validate(page)
        seen += [(each["name"], each["type"], each["columns"], each["ignored"]) for each in page["results"]]
        path = page["links"].get("next", "")
    assert seen == [(name, *brief) for name in ("a", "b", "c d") for brief in (("contacts", 1, 0), ("products", 6, 1))]
    of_type = (await client.get("/mappings?type=contacts&limit=2", headers=an_account.headers)).json()
    assert [each["name"] for each in of_type["results"]] == ["a", "b"]
    rest = (await client.get(of_type["links"]["next"], headers=an_account.headers)).json()
    assert [(each["name"], each["type"]) for each in rest["results"]] == [("c d", "contacts")]


async def test_a_template_tells_when_it_was_used_and_what_uses_it(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    used, other = [await made(client, an_account, name=name) for name in ("Used", "Other")]
    assert (used["usedBy"], "lastUsedAt" in used) == ([], False)
    settings = {"name": "Shop", "transport": "ftp", "host": "files.example.com", "user": "shop", "password": "x"}
    exported = {"type": "products", "mappingId": used["id"]}
    where = (await client.post("/connections", headers=an_account.headers, json=settings)).json()["id"]
    wanted = {"path": "/in/*.csv", "type": "products", "mappingId": used["id"]}
    feed = {"name": "Folder", "connectionId": where, "request": wanted}
    schedule = {"name": "By night", "kind": "export", "request": exported, "cron": "0 2 * * *"}
    uses = []
    for path, body in (("/feeds", feed), ("/schedules", schedule)):
        answer = await client.post(path, headers=an_account.headers, json=body)
        assert answer.status_code == 201, answer.text
        uses.append({"kind": path[1:-1], "id": answer.json()["id"], "name": body["name"]})
    assert (await client.post("/exports", headers=an_account.headers, json=exported)).status_code == 201

    read = (await client.get(f"/mappings/{used['id']}", headers=an_account.headers)).json()
    assert MappingTemplate.model_validate(read)
    assert (read["usedBy"], "lastUsedAt" in read) == (uses, True)
    again = await client.put(f"/mappings/{used['id']}", headers=an_account.headers, json=read)
    assert {**again.json(), "updatedAt": ""} == {**read, "updatedAt": ""}
    listed = (await client.get("/mappings", headers=an_account.headers)).json()["results"]
    assert [(each["name"], each["uses"], "lastUsedAt" in each) for each in listed] == [
        (other["name"], 0, False),
        (used["name"], 2, True),
    ]
    other = await made(
        client, an_account, type="contacts", columns=[{"column": "Mail", "field": "_email"}], constants={}
    )
    imported = {"type": "contacts", "mappingId": other["id"]}
    file = {"file": ("a.csv", b"Mail\nana@example.com\n", "text/csv")}
    answer = await client.post("/imports", headers=an_account.headers, data=imported, files=file)
    assert answer.status_code == 201, answer.text
    assert "lastUsedAt" in (await client.get(f"/mappings/{other['id']}", headers=an_account.headers)).json()


async def test_a_template_that_is_deleted_is_gone(client: httpx.AsyncClient, an_account: Account) -> None:
    path = f"/mappings/{(await made(client, an_account))['id']}"
    assert (await client.delete(path, headers=an_account.headers)).status_code == 204
    for method in ("GET", "DELETE"):
        assert (await client.request(method, path, headers=an_account.headers)).status_code == 404
    assert (await client.put(path, headers=an_account.headers, json=TEMPLATE)).status_code == 404
    await made(client, an_account)


async def test_every_mistake_is_named(client: httpx.AsyncClient, an_account: Account) -> None:
    columns = [{"column": "A", "field": "productId", "case": "title"}, {"column": "B"}]
    wrong = await make(client, an_account, name="", type="nothing", columns=columns, colour="red")
    assert wrong.status_code == 422
    assert {each["path"] for each in wrong.json()["errors"]} == {
        "name",
        "type",
        "colour",
        "columns[0].case",
        "columns[1]",
    }
    columns = [{"column": "A", "field": "productID"}, {"column": "B", "field": "name", "decimalComma": True}]
    wrong = await make(client, an_account, columns=columns)
    reasons = [each["reason"] for each in wrong.json()["errors"]]
    assert len(reasons) == 2
    assert reasons[0].endswith("has no field `productID`. Did you mean `productId`?")


@pytest.mark.parametrize("name", [None, "", " ", 1, "a\0b", "x" * 201, "\x1b[2J", ["x"]])
async def test_an_invalid_name_is_refused(client: httpx.AsyncClient, an_account: Account, name: object) -> None:
    answer = await make(client, an_account, name=name)
    assert (answer.status_code, [each["path"] for each in answer.json()["errors"]]) == (422, ["name"])


@pytest.mark.parametrize("type", [None, 7, "", "no\0pe", "x" * 10_000, {}])
async def test_an_invalid_type_is_refused(client: httpx.AsyncClient, an_account: Account, type: object) -> None:
    answer = await make(client, an_account, type=type)
    assert (answer.status_code, [each["path"] for each in answer.json()["errors"]]) == (422, ["type"])
    assert len(answer.text) < 2_000


async def test_what_an_account_stores_has_a_bound(
    client: httpx.AsyncClient, an_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = await made(client, an_account)
    monkeypatch.setattr(stored, "MOST_TEMPLATES", 1)
    refused = await make(client, an_account, name="One more")
    assert refused.status_code == 422
    assert "no more are allowed" in refused.json()["detail"]
    path = f"/mappings/{template['id']}"
    assert (await client.put(path, headers=an_account.headers, json=template)).status_code == 200
    monkeypatch.setattr(stored, "MOST_TEMPLATES", 10)
    monkeypatch.setattr(stored, "MOST_BYTES", 600)
    assert (await make(client, an_account, name="One more")).status_code == 422


async def test_the_largest_template_is_stored_and_shown(client: httpx.AsyncClient, an_account: Account) -> None:
    fields = [{"id": f"f{number}", "type": "text"} for number in range(2_000)]
    await client.put("/types/wide", headers=an_account.headers, json={"key": "f0", "fields": fields})
    columns = [{"column": f"Column number {number}", "field": f"f{number}"} for number in range(2_000)]
    template = await made(client, an_account, type="wide", columns=columns, constants={}, name="é" * 200)
    assert len(template["columns"]) == 2_000


async def test_each_route_takes_its_scope(client: httpx.AsyncClient, an_account: Account, a_key: NewAccount) -> None:
    template = await made(client, an_account)
    path = f"/mappings/{template['id']}"
    reader = await a_key(scopes=["mappings:read"], name=an_account.name)
    writer = await a_key(scopes=["mappings:write"], name=an_account.name)
    assert (await client.get(path, headers=reader.headers)).status_code == 200
    assert (await client.get("/mappings", headers=writer.headers)).status_code == 403
    for method in ("PUT", "DELETE"):
        assert (await client.request(method, path, headers=reader.headers, json=template)).status_code == 403
    assert (await client.delete(path, headers=writer.headers)).status_code == 204
