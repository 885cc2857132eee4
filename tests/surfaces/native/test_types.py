"""Record types: declared, widened, read, and refused where stored records would contradict them."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.declarations.removal import delete_type
from app.resources.registry import BUILT_IN
from app.runtime import Runtime
from app.storage.access import accounts
from app.surfaces.native.wire.declared.types import RecordType
from tests.conftest import Finish
from tests.support.http import Account, post

BODY: dict[str, Any] = {
    "key": "sku",
    "fields": [{"id": "sku", "type": "text"}, {"id": "size", "type": "enum", "options": ["s", "m"]}],
}


async def test_a_type_is_declared_then_changed(client: httpx.AsyncClient, an_account: Account) -> None:
    new = await client.put("/types/shirts", headers=an_account.headers, json=BODY)
    again = await client.put("/types/shirts", headers=an_account.headers, json=BODY | {"unknownColumns": "keep"})
    read = await client.get("/types/shirts", headers=an_account.headers)

    assert (new.status_code, again.status_code) == (201, 200)
    assert again.json() == read.json()
    assert (read.json()["name"], read.json()["builtIn"], read.json()["unknownColumns"]) == ("shirts", False, "keep")
    assert RecordType.model_validate(read.json())


async def test_what_was_read_may_be_sent_back(client: httpx.AsyncClient, an_account: Account) -> None:
    await client.put("/types/shirts", headers=an_account.headers, json=BODY)
    read = (await client.get("/types/shirts", headers=an_account.headers)).json()
    assert (await client.put("/types/shirts", headers=an_account.headers, json=read)).status_code == 200


async def test_a_generated_key_is_shown_and_may_be_sent_back(client: httpx.AsyncClient, an_account: Account) -> None:
    new = await client.put("/types/shirts", headers=an_account.headers, json=BODY | {"generateKey": True})
    read = (await client.get("/types/shirts", headers=an_account.headers)).json()
    again = await client.put("/types/shirts", headers=an_account.headers, json=read)

    assert new.json() == read == again.json()
    assert (read["generateKey"], read["fields"][0]) == (True, {"id": "sku", "type": "text"})
    assert RecordType.model_validate(read).generate_key
    assert (await client.get("/types/shirts/sample.csv", headers=an_account.headers)).text.startswith("size\r\n")


async def test_the_fields_inside_a_nested_type_are_shown(client: httpx.AsyncClient, an_account: Account) -> None:
    catalog = (await client.get("/types/catalog", headers=an_account.headers)).json()
    assert {"path": "properties.*", "type": "text"} in catalog["families"]
    assert {"path": "variants.#.qty", "type": "decimal"} in catalog["families"]
    assert RecordType.model_validate(catalog)
    assert "families" not in (await client.get("/types/contacts", headers=an_account.headers)).json()


async def test_every_mistake_of_a_declaration_is_named(client: httpx.AsyncClient, an_account: Account) -> None:
    body = {"key": "nope", "fields": [{"id": "sku", "type": "wibble"}, {"id": "x y", "type": "text"}]}
    answer = await client.put("/types/shirts", headers=an_account.headers, json=body)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) >= 3


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": 1,}'])
async def test_a_body_that_is_not_json_is_a_bad_request(
    client: httpx.AsyncClient, an_account: Account, body: bytes
) -> None:
    answer = await client.put("/types/shirts", headers=an_account.headers, content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_a_body_that_is_no_object_or_too_large_is_refused(client: httpx.AsyncClient, an_account: Account) -> None:
    assert (await client.put("/types/x", headers=an_account.headers, json=[])).status_code == 422
    assert (await client.put("/types/x", headers=an_account.headers, content=b" " * 1_048_577)).status_code == 413


async def test_a_type_may_have_as_many_fields_as_a_file_has_columns(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    ids = [f"supplier_attribute_{number:04}" for number in range(2_000)]
    fields = [{"id": each, "type": "text", "label": f"Eigenschaft №{each[-4:]} des Lieferanten (€)"} for each in ids]
    body = {"key": ids[0], "fields": fields}
    put = await client.put("/types/wide", headers=an_account.headers, json=body)
    assert put.status_code == 201, put.json()["detail"]
    more = body | {"fields": [*fields, {"id": "more", "type": "text"}]}
    assert (await client.put("/types/wide", headers=an_account.headers, json=more)).status_code == 422

    for count in (512, 2_000):
        rows = [",".join(ids[:count]), ",".join(f"{count}.{number}" for number in range(count))]
        file = {"file": ("wide.csv", "\n".join(rows).encode())}
        run = (await client.post("/imports", headers=an_account.headers, data={"type": "wide"}, files=file)).json()
        await finish(runtime, run["id"])
        record = (await client.get(f"/records/wide/{count}.0", headers=an_account.headers)).json()
        assert record["data"] == {each: f"{count}.{number}" for number, each in enumerate(ids[:count])}


async def test_a_reference_names_a_type_that_there_is(client: httpx.AsyncClient, an_account: Account) -> None:
    def put(name: str, *fields: dict[str, Any]) -> Any:
        body = {"key": "code", "fields": [{"id": "code", "type": "text"}, *fields]}
        if name == "contacts":
            body = {"fields": list(fields)}
        return client.put(f"/types/{name}", headers=an_account.headers, json=body)

    own = {"id": "own", "type": "reference", "to": "shelves"}
    built_in = {"id": "maker", "type": "list", "to": "contacts", "separator": "|"}
    missing = {"id": "room", "type": "reference", "to": "rooms"}
    assert (await put("shelves", own, built_in)).json()["fields"][1:] == [own, built_in]
    refused = await put("shelves", own, missing)
    also_refused = await put("contacts", missing)
    assert (refused.status_code, also_refused.status_code) == (422, 422)
    assert refused.json()["errors"] == [
        {"path": "fields[2].to", "reason": "`fields[2].to` must be a record type: there is no type `rooms`"}
    ]
    assert also_refused.json()["errors"][0]["path"] == "fields[0].to"
    await put("rooms")
    assert (await put("shelves", own, missing)).status_code == 200
    assert (await put("contacts", missing)).status_code == 201


@pytest.mark.parametrize(
    "fields",
    [
        [dict.fromkeys((f"m{number}" for number in range(40_000)), 1)],
        [{"id": "x", "type": "text", "label": "x" * 200}] * 1_999,
        [{"id": f"f{number}", "type": "reference", "to": "n" * 63} for number in range(1_999)],
    ],
    ids=["members", "labels", "types"],
)
async def test_a_refusal_stays_small_however_many_mistakes_there_are(
    client: httpx.AsyncClient, an_account: Account, fields: list[dict[str, Any]]
) -> None:
    body = {"key": "f", "fields": [{"id": "f", "type": "text"}, *fields]}
    answer = await client.put("/types/wide", headers=an_account.headers, json=body)
    errors = answer.json()["errors"]
    assert (answer.status_code, len(errors)) == (422, 501)
    assert errors[-1]["reason"].endswith("more mistakes, which are not listed")
    assert answer.json()["detail"].endswith("more mistakes")
    assert len(answer.json()["detail"]) < 10_000
    assert len(answer.content) < 500_000


async def test_labels_are_shown_and_may_be_sent_back(client: httpx.AsyncClient, an_account: Account) -> None:
    headers = an_account.headers
    own = {"id": "shoe", "type": "integer", "label": "Shoe size"}
    put = await client.put("/types/contacts", headers=headers, json={"fields": [own]})
    labels = {field["id"]: field["label"] for field in put.json()["fields"]}
    assert (labels["_email"], labels["shoe"]) == ("Email", "Shoe size")

    # As release 0.1 answered.
    built_in = [{name: field[name] for name in field if name != "label"} for field in put.json()["fields"][:-1]]
    old = put.json() | {"fields": [*built_in, own]}
    for body in (put.json(), old):
        back = await client.put("/types/contacts", headers=headers, json=body)
        assert (back.status_code, back.json()) == (200, put.json())


@pytest.mark.parametrize("name", ["products", "coupons", "Shirts", "1x", "a" * 70])
async def test_a_built_in_type_and_a_bad_name_are_refused(
    client: httpx.AsyncClient, an_account: Account, name: str
) -> None:
    answer = await client.put(f"/types/{name}", headers=an_account.headers, json=BODY)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "name"


async def test_contacts_take_custom_fields_that_imports_then_fill(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    body = {"fields": [{"id": "shoeSize", "type": "integer", "min": 15}]}
    assert (await client.put("/types/contacts", headers=an_account.headers, json=body)).status_code == 201
    run = (await post(client, an_account, b"_email,shoeSize\na@example.org,38\nb@example.org,3\n")).json()
    await finish(runtime, run["id"])

    shown = (await client.get(f"/imports/{run['id']}", headers=an_account.headers)).json()
    record = (await client.get("/records/contacts/a@example.org", headers=an_account.headers)).json()

    assert (shown["created"], shown["errors"]) == (1, 1)
    assert record["data"]["shoeSize"] == 38


async def test_a_change_that_stored_records_contradict_is_refused_by_name(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await client.put("/types/shirts", headers=an_account.headers, json=BODY)
    narrower = {"key": "sku", "fields": [BODY["fields"][0], {"id": "size", "type": "integer"}]}
    # Nothing is stored yet: everything may change.
    assert (await client.put("/types/shirts", headers=an_account.headers, json=narrower)).status_code == 200
    await client.put("/types/shirts", headers=an_account.headers, json=BODY)
    file = {"file": ("shirts.csv", b"sku,size\n1,s\n")}
    run = (await client.post("/imports", headers=an_account.headers, data={"type": "shirts"}, files=file)).json()
    await finish(runtime, run["id"])

    refused = await client.put("/types/shirts", headers=an_account.headers, json=narrower)
    wider = BODY | {"fields": [BODY["fields"][0], {"id": "size", "type": "enum", "options": ["s", "m", "l"]}]}

    assert (refused.status_code, refused.json()["code"]) == (409, "type_in_use")
    assert refused.json()["errors"][0]["path"] == "fields[1].type"
    assert (await client.put("/types/shirts", headers=an_account.headers, json=wider)).status_code == 200


async def test_a_change_that_a_waiting_import_contradicts_waits_for_its_end(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    headers = an_account.headers
    await client.put("/types/shirts", headers=headers, json=BODY)
    file = {"file": ("shirts.csv", b"sku,size\n1,wrong\n")}
    run = (await client.post("/imports", headers=headers, data={"type": "shirts"}, files=file)).json()
    changed = BODY | {"key": "size", "fields": [BODY["fields"][0], {"id": "size", "type": "text"}]}

    refused = await client.put("/types/shirts", headers=headers, json=changed)
    assert (refused.status_code, refused.json()["code"]) == (409, "type_in_use")
    assert "have not ended" in refused.json()["detail"]

    # It stores nothing, so that at its end everything may change.
    await finish(runtime, run["id"])
    assert (await client.put("/types/shirts", headers=headers, json=changed)).status_code == 200


async def test_a_type_does_not_change_while_an_import_is_being_accepted(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    async with runtime.database.transaction() as session:
        await accounts.next_seq(session, an_account.id)
        changing = asyncio.create_task(client.put("/types/shirts", headers=an_account.headers, json=BODY))
        done, _ = await asyncio.wait([changing], timeout=0.3)
        assert not done
    assert (await changing).status_code == 201


async def test_of_a_built_in_type_only_what_it_has_may_be_sent_back(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    headers = an_account.headers
    own = {"id": "shoe", "type": "integer"}
    await client.put("/types/contacts", headers=headers, json={"fields": [own]})
    read = (await client.get("/types/contacts", headers=headers)).json()
    back = await client.put("/types/contacts", headers=headers, json=read)
    assert (back.status_code, back.json()) == (200, read)

    email = next(field for field in read["fields"] if field["id"] == "_email")
    other = read | {"key": "shoe", "fields": [email | {"type": "text"}, own]}
    wrong = await client.put("/types/contacts", headers=headers, json=other)
    assert {each["path"] for each in wrong.json()["errors"]} == {"key", "fields[0].id"}
    assert (await client.get("/types/contacts", headers=headers)).json() == read


async def test_the_list_holds_the_built_in_types_and_the_accounts_own(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    await client.put("/types/shirts", headers=an_account.headers, json=BODY)
    found = (await client.get("/types", headers=an_account.headers)).json()["results"]
    assert [each["name"] for each in found] == [*BUILT_IN, "shirts"]
    assert all(RecordType.model_validate(each) for each in found)


@pytest.mark.parametrize("name", ["shirts", "shop-products", "tags"])
async def test_a_sample_imports_without_an_error(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish, name: str
) -> None:
    await client.put("/types/shirts", headers=an_account.headers, json=BODY)
    sample = await client.get(f"/types/{name}/sample.csv", headers=an_account.headers)
    assert sample.headers["content-disposition"] == f'attachment; filename="{name}-sample.csv"'
    file = {"file": ("sample.csv", sample.content)}
    run = (await client.post("/imports", headers=an_account.headers, data={"type": name}, files=file)).json()
    await finish(runtime, run["id"])
    shown = (await client.get(f"/imports/{run['id']}", headers=an_account.headers)).json()
    assert (shown["created"], shown["errors"]) == (3, 0)
    records = (await client.get(f"/records/{name}", headers=an_account.headers)).json()["results"]
    key = (await client.get(f"/types/{name}", headers=an_account.headers)).json()["key"]
    assert [each["data"][key] for each in records] == [each["key"] for each in records]


async def test_a_type_is_deleted_once_nothing_needs_it_and_everything_that_does_is_told(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    headers = an_account.headers
    await client.put("/types/shirts", headers=headers, json=BODY)
    fields = [{"id": "no", "type": "text"}, {"id": "shirt", "type": "reference", "to": "shirts"}]
    refers = await client.put("/types/sets", headers=headers, json={"key": "no", "fields": fields})
    assert refers.status_code == 201, refers.text
    columns = [{"column": "sku", "field": "sku"}]
    mapping = await client.post("/mappings", headers=headers, json={"name": "M", "type": "shirts", "columns": columns})
    schedule = {"name": "Nightly", "kind": "export", "request": {"type": "shirts"}, "cron": "0 3 * * *"}
    planned = await client.post("/schedules", headers=headers, json=schedule)
    run = await post(client, an_account, b"sku\na\n", parts={"type": "shirts"})
    refused = await client.delete("/types/shirts", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "type_needed")
    told = {each["path"]: each["reason"] for each in refused.json()["errors"]}
    assert told.keys() == {"run", "mapping", "schedule", "type"}
    assert told["type"] == "Fields of the type `sets` refer to it. Change that with `PUT /types/sets`"

    await finish(runtime, run.json()["id"])
    for path in (f"/mappings/{mapping.json()['id']}", f"/schedules/{planned.json()['id']}", "/types/sets"):
        assert (await client.delete(path, headers=headers)).status_code == 204, path
    stored = await client.delete("/types/shirts", headers=headers)
    assert [each["path"] for each in stored.json()["errors"]] == ["records"]
    await client.delete("/records/shirts/a", headers=headers)
    assert (await client.delete("/types/shirts", headers=headers)).status_code == 204
    assert (await client.delete("/types/shirts", headers=headers)).status_code == 404
    assert (await client.get("/types/shirts", headers=headers)).status_code == 404
    # What has ended stays, and does not bring back records of a type that is gone.
    shown = await client.get(f"/imports/{run.json()['id']}", headers=headers)
    undone = await client.post(f"/imports/{run.json()['id']}/undo", headers=headers)
    assert (shown.status_code, undone.status_code) == (200, 404)
    written = await client.put(
        "/records/shirts/a", headers=headers | {"content-type": "application/json"}, content="{}"
    )
    assert written.status_code == 404


async def count(runtime: Runtime, query: str) -> int:
    async with runtime.database.read() as session:
        return int((await session.execute(text(query))).scalar_one())


async def test_what_waits_for_the_deletion_of_a_type_finds_it_gone(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    headers = an_account.headers
    await client.put("/types/shirts", headers=headers, json=BODY)
    template = {"name": "M", "type": "shirts", "columns": [{"column": "sku", "field": "sku"}]}
    schedule = {"name": "Nightly", "kind": "export", "request": {"type": "shirts"}, "cron": "0 3 * * *"}
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with runtime.database.transaction() as session:
        await delete_type(session, await accounts.account_named(session, an_account.name), "shirts")
        asked = asyncio.gather(
            post(client, an_account, b"sku\na\n", parts={"type": "shirts"}),
            client.post("/mappings", headers=headers, json=template),
            client.post("/schedules", headers=headers, json=schedule),
        )
        async with asyncio.timeout(20):
            while await count(runtime, waiting) < 3:
                await asyncio.sleep(0.01)
    assert [(each.status_code, each.json()["errors"][0]["path"]) for each in await asked] == [
        (422, "type"),
        (422, "type"),
        (422, "request.type"),
    ]


@pytest.mark.parametrize("name", ["contacts", "products"])
async def test_a_built_in_type_stays(client: httpx.AsyncClient, an_account: Account, name: str) -> None:
    await client.put("/types/contacts", headers=an_account.headers, json={"fields": [{"id": "city", "type": "text"}]})
    refused = await client.delete(f"/types/{name}", headers=an_account.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "type_needed")
