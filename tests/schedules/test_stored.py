"""Schedules over HTTP: made, checked as what they request is checked, read, replaced, paused, resumed and deleted."""

from typing import Any

import msgspec
import pytest

from app.imports.submissions.from_connection import ConnectionImport
from app.runs.holding.brakes import BRAKES
from app.schedules import stored
from app.web.declared.connection_imports import ConnectionImportBody
from tests.conftest import NewAccount
from tests.schedules.conftest import NIGHTLY, Shop

IMPORT = {"path": "/in/*.csv", "type": "contacts"}


async def test_a_schedule_tells_when_it_comes_next(shop: Shop) -> None:
    created = await shop.send(
        "POST",
        "/schedules",
        201,
        name="Contacts",
        kind="export",
        request={"type": "contacts", "filter": {"updatedSince": "2026-01-01T00:00:00Z"}, "gzip": True},
        cron=" 30  2 * * * ",
        timezone="Europe/Amsterdam",
    )
    times = ("2026-11-28T01:30:00.000Z", "2026-11-29T01:30:00.000Z", "2026-11-30T01:30:00.000Z")
    assert created.pop("id").startswith("sch_")
    assert created.pop("createdAt") == created.pop("updatedAt")
    assert created == {
        "name": "Contacts",
        "kind": "export",
        "request": {"type": "contacts", "filter": {"updatedSince": "2026-01-01T00:00:00Z"}, "gzip": True},
        "cron": NIGHTLY,
        "timezone": "Europe/Amsterdam",
        "enabled": True,
        "nextRunAt": times[0],
        "nextRuns": list(times),
        "failures": 0,
    }
    (listed,) = (await shop.send("GET", "/schedules"))["results"]
    assert "request" not in listed
    assert listed.items() >= {name: value for name, value in created.items() if name != "request"}.items()


async def test_it_can_be_sent_back_replaced_paused_resumed_and_deleted(shop: Shop) -> None:
    schedule = await shop.schedule()
    whole = await shop.see(schedule)
    same = await shop.send("PUT", f"/schedules/{schedule}", **whole)
    assert same | {"updatedAt": ""} == whole | {"updatedAt": ""}

    changed = await shop.send("PUT", f"/schedules/{schedule}", **whole | {"cron": "0 6 * * *", "name": "Früh"})
    assert (changed["name"], changed["nextRunAt"]) == ("Früh", "2026-11-28T06:00:00.000Z")

    for _ in range(2):
        paused = await shop.send("POST", f"/schedules/{schedule}/pause")
        assert (paused["enabled"], paused["nextRuns"], "nextRunAt" in paused) == (False, [], False)
    assert (await shop.send("PUT", f"/schedules/{schedule}", **whole))["enabled"] is False
    await shop.look("2026-12-24T12:00")
    for _ in range(2):
        resumed = await shop.send("POST", f"/schedules/{schedule}/resume")
        assert (resumed["enabled"], resumed["nextRunAt"]) == (True, "2026-12-25T02:30:00.000Z")
    assert await shop.runs(schedule) == []

    await shop.send("DELETE", f"/schedules/{schedule}", 204)
    await shop.send("GET", f"/schedules/{schedule}", 404)
    await shop.look("2027-01-01T12:00")
    assert await shop.runs(schedule) == []


async def refused(shop: Shop, **changed: Any) -> dict[str, str]:
    """The paths and reasons of a refusal."""
    given = {"name": "A", "kind": "export", "request": {"type": "contacts"}, "cron": NIGHTLY} | changed
    answer = await shop.send("POST", "/schedules", 422, **given)
    return {each["path"]: each["reason"] for each in answer["errors"]}


async def test_all_mistakes_are_named_at_once_as_the_routes_name_them(shop: Shop, connection: str) -> None:
    assert await refused(shop, cron="61 2 * * *", timezone="Amsterdam", request={"type": "x", "filter": {}}) == {
        "cron": 'The minute of `cron` must be 0 to 59, and "61" is not',
        "timezone": '`timezone` must be a time zone of the IANA such as `Europe/Amsterdam`, and "Amsterdam" is none',
        "request.type": 'There is no record type "x". Declare it with PUT /types/x',
    }
    assert await refused(shop, request={"type": "contacts", "format": "xml", "filter": {"fields": ["x"]}}) == {
        "request.format": "`request.format` must be csv or jsonl"
    }
    assert await refused(shop, request={"type": "contacts", "mappingId": "map_x"}) == {
        "request.mappingId": "`request.mappingId` must be `default` or the id of a mapping template, and there is none "
        "with this id"
    }
    of_import = {"kind": "import", "connectionId": connection}
    assert await refused(shop, **of_import, request={"type": "contacts"}) == {
        "request.path": "`request.path` is required"
    }
    assert await refused(shop, **of_import, request=IMPORT | {"type": "x", "after": "abc"}) == {
        "request.type": 'There is no record type "x". Declare it with PUT /types/x'
    }
    assert list(await refused(shop, **of_import, request=IMPORT | {"after": "abc"})) == ["request.after"]
    assert list(await refused(shop, **of_import, request=IMPORT | {"encoding": "x"})) == ["request.encoding"]
    assert list(await refused(shop, **of_import, request=IMPORT | {"confirmEmail": "x"})) == ["request.confirmEmail"]
    assert list(await refused(shop, **of_import, request=IMPORT | {"path": "/*/a.csv"})) == ["request.path"]
    wrong = {"columns": [{"column": "A", "field": "x"}]}
    assert next(iter(await refused(shop, **of_import, request=IMPORT | {"mapping": wrong}))).startswith("request.")
    assert await refused(shop, kind="import", connectionId="con_x", request=IMPORT) == {
        "connectionId": "There is no connection with this id"
    }
    assert await refused(shop, kind="import", request=IMPORT) == {
        "connectionId": "`connectionId` is required for the kind import"
    }
    assert await refused(shop, connectionId=connection, syncId="sync_x") == {
        "connectionId": "`connectionId` is for the kind import, and not for export",
        "syncId": "`syncId` is for the kind sync, and not for export",
    }
    assert await refused(shop, kind="sync", syncId="sync_x") == {"syncId": "There is no item sync with this id"}
    assert list(await refused(shop, kind="undo")) == ["kind"]
    assert list(await refused(shop, name="a\nb")) == ["name"]


async def test_what_is_nested_deeply_is_refused_as_a_mistake(shop: Shop, connection: str) -> None:
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    where = {"type": "contacts", "filter": {"where": [{"field": "_email", "operator": "=", "value": deep}]}}
    for request in ({"type": "contacts", "mapping": {"columns": deep}}, where):
        await shop.send("POST", "/exports", 422, **request)
        assert await refused(shop, request=request)
    request = {**IMPORT, "mapping": {"columns": deep}}
    assert await refused(shop, kind="import", connectionId=connection, request=request)
    await shop.send("POST", "/feeds", 422, name="A", connectionId=connection, request=request)


async def test_names_are_unique_and_an_account_has_so_many(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = await shop.schedule()
    taken = {"name": "Contacts", "kind": "export", "request": {"type": "contacts"}, "cron": NIGHTLY}
    assert (await shop.send("POST", "/schedules", 409, **taken))["code"] == "name_taken"
    monkeypatch.setattr(stored, "MOST_SCHEDULES", 1)
    assert await refused(shop) == {"request": "The account has 1 schedules, and no more are allowed"}
    await shop.send("PUT", f"/schedules/{schedule}", **taken)
    monkeypatch.setattr(stored, "MOST_BYTES", 10)
    assert "would have 19 bytes together" in (await shop.send("PUT", f"/schedules/{schedule}", 422, **taken))["detail"]


@pytest.mark.parametrize("kind", ["import", "export", "sync"])
async def test_who_makes_a_schedule_needs_the_scopes_for_what_it_starts(
    shop: Shop, connection: str, a_key: NewAccount, kind: str
) -> None:
    scopes_of = {"import": ["imports:write", "connections:read"], "export": ["exports:write"], "sync": ["syncs:write"]}
    needed, request = scopes_of[kind], {"import": IMPORT, "export": {"type": "contacts"}, "sync": {}}[kind]
    sync = await shop.send("POST", "/item-syncs", 201, name="App4Sales", connectionId=connection)
    given = {"name": "A", "kind": kind, "request": request, "cron": NIGHTLY}
    given |= {"import": {"connectionId": connection}, "sync": {"syncId": sync["id"]}}.get(kind, {})
    for left_out in needed:
        scopes = ["schedules:write", *(each for each in needed if each != left_out)]
        headers = (await a_key(scopes=scopes, name=shop.account.name)).headers
        answer = await shop.api.post("/schedules", headers=headers, json=given)
        assert (answer.status_code, left_out in answer.json()["detail"]) == (403, True)
    headers = (await a_key(scopes=["schedules:write", *needed], name=shop.account.name)).headers
    assert (await shop.api.post("/schedules", headers=headers, json=given)).status_code == 201
    assert (await shop.api.get("/schedules", headers=headers)).status_code == 403


def test_what_is_stored_of_an_import_has_every_member_of_a_request() -> None:
    """A member that only the route knew would be checked, and forgotten at each start."""
    limits = {each.name for each in BRAKES.values()}
    kept = {each.encode_name for each in msgspec.structs.fields(ConnectionImport)} - {"brakes"} | limits
    asked = {str(field.alias) for field in ConnectionImportBody.model_fields.values()}
    assert asked - {"after", "mapping", "mappingId"} == kept
