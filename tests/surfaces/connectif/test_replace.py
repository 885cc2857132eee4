"""`replace`: how a file that replaces its type is asked for, shown and refused, over HTTP."""

from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import PARTS, Account, post

HEADER = b"productId,productDetailUrl,name,unitPrice\n"
PRODUCTS = {"type": "products", "replace": "true"}


def rows(*numbers: int) -> bytes:
    return HEADER + b"".join(b"p%d,https://shop.example.com/%d,Shirt,1\n" % (each, each) for each in numbers)


async def test_a_file_replaces_its_type_and_the_answers_say_what_it_removes(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    first = await post(client, an_account, rows(1, 2, 3), parts={"type": "products"})
    assert not {"replace", "maxRemovedShare"} & first.json()["options"].keys()
    await finish(runtime, first.json()["id"])
    second = await post(client, an_account, rows(2, 3, 4), parts=PRODUCTS)
    assert second.status_code == 201, second.text
    assert (second.json()["options"]["replace"], second.json()["options"]["maxRemovedShare"]) == (True, 0.5)
    await finish(runtime, second.json()["id"])
    for path in ("imports", "runs"):
        seen = (await client.get(f"/{path}/{second.json()['id']}", headers=an_account.headers)).json()
        assert (seen["status"], seen["created"], seen["unchanged"], seen["removed"]) == ("finished", 1, 2, 1)
    listed = (await client.get("/records/products", headers=an_account.headers)).json()["results"]
    assert [each["key"] for each in listed] == ["p2", "p3", "p4"]
    assert "removed" not in (await client.get(f"/imports/{first.json()['id']}", headers=an_account.headers)).json()


@pytest.mark.parametrize(
    ("parts", "path", "reason"),
    [
        (
            {**PRODUCTS, "updateOnlyEmptyFields": "true"},
            "replace",
            "`replace` cannot be combined with `updateOnlyEmptyFields`: what only fills gaps removes nothing",
        ),
        (
            {"type": "products", "maxRemovedShare": "0.1"},
            "maxRemovedShare",
            "`maxRemovedShare` can be set only if `replace` is true or `mode` is delete: other imports remove nothing",
        ),
        ({"type": "products", "replace": "all"}, "replace", "`replace` must be true or false"),
    ],
)
async def test_what_does_not_go_together_is_refused(
    client: httpx.AsyncClient, an_account: Account, parts: dict[str, str | None], path: str, reason: str
) -> None:
    refused = await post(client, an_account, rows(1), parts=parts)
    assert (refused.status_code, refused.json()["errors"]) == (422, [{"path": path, "reason": reason}])


async def test_a_template_may_say_so_and_a_request_in_json_too(client: httpx.AsyncClient, an_account: Account) -> None:
    columns = [{"column": each, "field": each} for each in ("productId", "productDetailUrl", "name", "unitPrice")]
    template = {"name": "Nightly", "type": "products", "columns": columns, "options": {"replace": True}}
    stored = await client.post("/mappings", headers=an_account.headers, json=template)
    sent = await post(client, an_account, rows(1), parts={"type": "products", "mappingId": stored.json()["id"]})
    assert (sent.json()["options"]["replace"], sent.json()["options"]["maxRemovedShare"]) == (True, 0.5)
    source = {"transport": "https", "url": "https://files.example.com/a.csv"}
    body = {**PARTS, "type": "products", "source": source, "replace": True, "maxRemovedShare": 1}
    sent = await client.post("/imports", headers=an_account.headers, json=body)
    assert (sent.json()["options"]["replace"], sent.json()["options"]["maxRemovedShare"]) == (True, 1.0)


async def test_from_a_connection_one_file_replaces_its_type(client: httpx.AsyncClient, an_account: Account) -> None:
    connection = {"name": "shop", "transport": "ftp", "host": "files.example.com"}
    stored = await client.post("/connections", headers=an_account.headers, json=connection)
    assert stored.status_code == 201, stored.text
    address = f"/connections/{stored.json()['id']}/imports"
    body: dict[str, Any] = {"path": "/a.csv", "type": "products", "replace": True}
    started = await client.post(address, headers=an_account.headers, json=body)
    run = started.json()["results"][0]["importId"]
    shown = (await client.get(f"/imports/{run}", headers=an_account.headers)).json()["options"]
    assert (shown["replace"], shown["maxRemovedShare"]) == (True, 0.5)


async def test_who_may_not_delete_may_not_replace(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount, runtime: Runtime, finish: Finish
) -> None:
    """Nor start it again, resume it, or let a schedule, a watched folder or a template do it."""
    scopes = ["imports:read", "imports:write", "connections:read", "schedules:write", "feeds:write", "mappings:read"]
    scopes += ["mappings:write"]
    weak = await a_key(scopes, an_account.name)
    first = await post(client, an_account, rows(1, 2, 3), parts=PRODUCTS)
    await finish(runtime, first.json()["id"])
    halted = await post(client, an_account, rows(4), parts=PRODUCTS)
    await finish(runtime, halted.json()["id"])
    connection = {"name": "shop", "transport": "ftp", "host": "files.example.com"}
    stored = (await client.post("/connections", headers=an_account.headers, json=connection)).json()["id"]
    wanted = {"path": "/a.csv", "type": "products", "replace": True}
    clock = {"name": "n", "kind": "import", "connectionId": stored, "cron": "0 5 * * *", "timezone": "UTC"}
    file = {"file": ("p.csv", rows(1))}
    columns = [{"column": each, "field": each} for each in ("productId", "productDetailUrl", "name", "unitPrice")]
    folder = {"name": "n", "connectionId": stored, "request": {**wanted, "path": "/in/*.csv"}}
    template = {"name": "t", "type": "products", "columns": columns}
    replacing = {**template, "options": {"replace": True}}
    made = [
        (await client.post(path, headers=an_account.headers, json=body)).json()["id"]
        for path, body in (("/mappings", template), ("/schedules", {**clock, "request": wanted}), ("/feeds", folder))
    ]
    for path, body in (
        ("/mappings", {"json": {**replacing, "name": "u"}}),
        (f"/schedules/{made[1]}/resume", {}),
        (f"/feeds/{made[2]}/resume", {}),
        ("/imports", {"data": {**PARTS, **PRODUCTS}, "files": file}),
        (f"/imports/{first.json()['id']}/rerun", {"files": file}),
        (f"/imports/{halted.json()['id']}/resume", {}),
        (f"/runs/{halted.json()['id']}/resume", {}),
        (f"/connections/{stored}/imports", {"json": wanted}),
        ("/schedules", {"json": {**clock, "request": wanted}}),
        ("/feeds", {"json": folder}),
    ):
        refused = await client.post(path, headers=weak.headers, **body)  # type: ignore[arg-type]
        assert (refused.status_code, refused.json()["detail"]) == (
            403,
            "The API key does not have the scope `imports:delete`",
        ), path
    changed = await client.put(f"/mappings/{made[0]}", headers=weak.headers, json=replacing)
    left = (await client.get(f"/mappings/{made[0]}", headers=an_account.headers)).json()
    assert (changed.status_code, left.get("options", {}).get("replace")) == (403, None)
    cancelled = await client.post(f"/runs/{halted.json()['id']}/cancel", headers=weak.headers)
    assert (cancelled.status_code, cancelled.json()["removed"]) == (200, 0)
