"""Single records: written, replaced and deleted by their keys, checked like rows, in the order of all writes."""

from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, post

FIELDS = [
    {"id": "code", "type": "text"},
    {"id": "name", "type": "text", "required": True},
    {"id": "price", "type": "decimal"},
    {"id": "tags", "type": "list"},
    {"id": "instead", "type": "reference", "to": "wares"},
]
WARE = '{"name": "Lamp", "price": 0.10, "tags": ["a", "b"]}'
JSON = {"Content-Type": "application/json"}


class Records:
    """Single records of an account. Answers are held against the OpenAPI document."""

    def __init__(self, client: httpx.AsyncClient, account: Account) -> None:
        self.client, self.account = client, account

    async def send(self, method: str, path: str, body: str | None = None, **headers: str) -> httpx.Response:
        wanted = {**self.account.headers, **JSON, **{name.replace("_", "-"): text for name, text in headers.items()}}
        return await self.client.request(method, f"/records/{path}", headers=wanted, content=body)

    async def data(self, path: str) -> Any:
        return (await self.send("GET", path)).json().get("data")


@pytest.fixture
async def records(client: httpx.AsyncClient, an_account: Account) -> Records:
    body = {"key": "code", "fields": FIELDS}
    assert (await client.put("/types/wares", headers=an_account.headers, json=body)).status_code == 201
    return Records(client, an_account)


async def test_put_creates_and_replaces_and_patch_changes_what_is_sent(records: Records) -> None:
    made = await records.send("PUT", "wares/a%2F1", WARE)
    assert (made.status_code, made.json()["key"], made.json()["importId"]) == (201, "a/1", None)
    assert '"price": 0.10' in made.text  # the digits that were sent
    assert made.json()["data"] == {"code": "a/1", "name": "Lamp", "price": 0.1, "tags": ["a", "b"]}
    as_stored = made.text.partition('"data":')[2].partition(',"createdAt"')[0]
    again = await records.send("PUT", "wares/a%2F1", as_stored)
    assert (again.status_code, again.json()) == (200, made.json())  # nothing has changed, not even the time

    changed = await records.send("PATCH", "wares/a%2F1", '{"price": 2, "tags": null}')
    assert changed.json()["data"] == {"code": "a/1", "name": "Lamp", "price": 2, "tags": None}
    emptied = await records.send("PUT", "wares/a%2F1", '{"code": "a/1", "name": ""}')
    assert emptied.status_code == 422  # a required field
    replaced = await records.send("PUT", "wares/a%2F1", '{"code": "a/1", "name": "Torch"}')
    assert (replaced.status_code, replaced.json()["data"]) == (200, {"code": "a/1", "name": "Torch"})


async def test_a_record_is_checked_as_a_row_of_an_import_is(
    records: Records, client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    row = '{"code": "x", "price": "much", "tags": [[]], "instead": "nothing"}'
    run = (await post(client, an_account, row.encode(), name="w.jsonl", parts={"type": "wares"})).json()
    await finish(runtime, run["id"])
    listed = (await client.get(f"/imports/{run['id']}/problems", headers=an_account.headers)).json()["results"]
    refused = await records.send("PUT", "wares/x", row)
    assert refused.status_code == 422
    reasons = " ".join(each["reason"].lower() for each in refused.json()["errors"])
    assert [each["message"] for each in listed if each["message"].lower() not in reasons] == []
    missing = await records.send("PUT", "wares/x", '{"name": "X", "instead": "nothing"}')
    assert (missing.status_code, [each["path"] for each in missing.json()["errors"]]) == (422, ["instead"])
    assert (await records.send("GET", "wares/x")).status_code == 404
    for path, body in (("wares/x", '{"code": "y", "name": "Y"}'), ("contacts/no-address", '{"_name": "A"}')):
        assert (await records.send("PUT", path, body)).status_code == 422
    for method, path in (("PATCH", "wares/none"), ("PUT", "nothing/x"), ("PUT", "shop-products/none")):
        assert (await records.send(method, path, '{"name": "N"}')).status_code == 404
    assert (await records.send("PUT", "wares/x", "[1]")).status_code == 400


async def test_a_replacement_lacks_no_required_field(records: Records) -> None:
    await records.send("PUT", "wares/a", WARE)
    refused = await records.send("PUT", "wares/a", '{"price": 1}')
    assert refused.json()["errors"] == [{"path": "name", "reason": "`name` is required"}]
    assert (await records.data("wares/a"))["price"] == 0.1


async def test_with_if_match_nothing_is_written_over_what_somebody_else_has_changed(records: Records) -> None:
    first = (await records.send("PUT", "wares/a", WARE)).headers["etag"]
    assert (await records.send("GET", "wares/a", If_None_Match=first)).status_code == 304
    second = (await records.send("PATCH", "wares/a", '{"price": 2}', If_Match=first)).headers["etag"]
    assert second != first
    for method in ("PUT", "PATCH", "DELETE"):
        refused = await records.send(method, "wares/a", WARE, If_Match=first)
        assert (refused.status_code, refused.json()["code"]) == (412, "record_changed")
    assert (await records.send("PUT", "wares/new", WARE, If_Match="*")).status_code == 412
    assert (await records.data("wares/a"))["price"] == 2
    assert (await records.send("DELETE", "wares/a", If_Match=f'"other", {second}')).status_code == 204
    assert (await records.send("DELETE", "wares/a")).status_code == 404


async def test_an_import_that_was_accepted_before_leaves_the_record_alone_and_the_history_says_who(
    records: Records, client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = (await post(client, an_account, b"code,name\na,Old\n", name="w.csv", parts={"type": "wares"})).json()
    await records.send("PUT", "wares/a", WARE)
    await records.send("PATCH", "wares/a", '{"name": "New"}')
    await finish(runtime, run["id"])
    ended = (await client.get(f"/imports/{run['id']}", headers=an_account.headers)).json()
    assert (ended["skipped"], (await records.data("wares/a"))["name"]) == (1, "New")
    await records.send("DELETE", "wares/a")
    history = (await records.send("GET", "wares/a/history")).json()["results"]
    assert [each["outcome"] for each in history] == ["removed", "updated", "created"]
    assert {each["sentBy"] for each in history} == {an_account.key.partition(":")[0]}


async def test_records_with_other_keys_than_a_field_of_text_are_written_by_the_key_that_get_knows(
    records: Records,
) -> None:
    made = await records.send("PUT", "customers/C-1", '{"name": "Ana"}')
    assert made.status_code == 201
    by_id = await records.send("PUT", f"customers/{made.json()['key']}", '{"name": "Bea"}')
    assert (by_id.status_code, by_id.json()["key"]) == (200, made.json()["key"])
    assert by_id.json()["data"] == made.json()["data"] | {"name": "Bea"}
    changed = await records.send("PATCH", "customers/C-1", '{"email": "ana@example.org"}')
    assert changed.json()["data"] == by_id.json()["data"] | {"email": "ana@example.org"}
    for method in ("PUT", "PATCH"):
        for blank in ("null", '""'):
            await records.send(method, "customers/C-1", f'{{"source_id": {blank}, "name": "Bea"}}')
            assert (await records.data("customers/C-1"))["source_id"] == "C-1"
    contact = await records.send("PUT", "contacts/ANA@Example.org", '{"_name": "Ana"}')
    assert (contact.status_code, contact.json()["key"]) == (201, "ana@example.org")
    outside = await records.send("PUT", "contacts/E-1", '{"_externalId": "E-1", "_name": "Ext"}')
    assert outside.status_code == 201
    assert (await records.send("PATCH", "contacts/E-1", '{"_name": "Ex"}')).json()["data"]["_name"] == "Ex"


async def test_a_coupon_stays_in_its_set_and_is_not_created_without_one(
    records: Records, client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await client.put("/coupon-sets/s-1", headers=an_account.headers, json={"name": "Spring"})
    run = (await post(client, an_account, b"code\nA\n", parts={"type": "coupons", "couponSetId": "s-1"})).json()
    await finish(runtime, run["id"])
    held = {"code": "A", "couponSetId": "s-1"}
    assert await records.data("coupons/A") == held
    for body in ("{}", '{"couponSetId": null}', '{"code": "A", "couponSetId": "s-1"}'):
        for method in ("PUT", "PATCH"):
            written = await records.send(method, "coupons/A", body)
            assert (written.status_code, written.json()["data"]) == (200, held)
    for method, path, wrong, body in (
        ("PUT", "coupons/A", "couponSetId", '{"couponSetId": "s-2"}'),
        ("PATCH", "coupons/A", "couponSetId", '{"couponSetId": "s-2"}'),
        ("PUT", "coupons/B", "", '{"couponSetId": "s-1"}'),
    ):
        refused = await records.send(method, path, body)
        assert (refused.status_code, [each["path"] for each in refused.json()["errors"]]) == (422, [wrong])
    assert await records.data("coupons/A") == held
    assert (await records.send("GET", "coupons/B")).status_code == 404


async def test_nobody_writes_into_another_account(
    records: Records, client: httpx.AsyncClient, a_key: NewAccount
) -> None:
    await records.send("PUT", "contacts/a@example.org", '{"_name": "A"}')
    other = Records(client, await a_key())
    assert (await other.send("PATCH", "contacts/a@example.org", '{"_name": "B"}')).status_code == 404
    assert (await other.send("DELETE", "contacts/a@example.org")).status_code == 404
    assert (await other.send("PUT", "contacts/a@example.org", '{"_name": "B"}')).status_code == 201
    assert (await records.data("contacts/a@example.org"))["_name"] == "A"
