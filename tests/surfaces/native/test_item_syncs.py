"""Item syncs: stored by name with all of their settings, listed, replaced and deleted."""

from typing import Any

import httpx
import pytest

from app.syncs import stored
from tests.conftest import NewAccount
from tests.support.http import Account

DEFAULTS: dict[str, Any] = {
    "maxRemovedShare": 0.5,
    "itemsPath": "/items/",
    "filtersPath": "/itemfilters/",
    "imagesPath": "/itempictures.zip",
    "separator": ";",
    "mode": "incremental",
    "trimValues": False,
    "useDeprecatedFreeFieldsFormat": False,
    "hideFreeFieldCaption": False,
    "imagesOnlyFromPim": False,
    "picturesBySeparateTask": False,
    "blankCells": "keep",
    "afterwards": "keep",
    "quietSeconds": 5.0,
}
OTHERS: dict[str, Any] = {
    "maxRemovedShare": None,
    "maxErrors": 10,
    "itemsPath": "shop/items/",
    "filtersPath": "shop/filters/",
    "imagesPath": "pictures.ZIP",
    "separator": "\t",
    "encoding": "windows-1252",
    "mode": "full",
    "trimValues": True,
    "useDeprecatedFreeFieldsFormat": True,
    "hideFreeFieldCaption": True,
    "imagesOnlyFromPim": True,
    "picturesBySeparateTask": True,
    "blankCells": "clear",
    "minRows": 1,
    "afterwards": "move:/done/",
    "quietSeconds": 0.5,
}


async def connection(client: httpx.AsyncClient, account: Account, transport: str = "ftp") -> str:
    body = {"name": f"Shop over {transport}", "transport": transport, "host": "ftp.example.com"}
    answer = await client.post("/connections", headers=account.headers, json=body)
    return str(answer.json()["id"])


async def make(client: httpx.AsyncClient, account: Account, **settings: Any) -> httpx.Response:
    return await client.post("/item-syncs", headers=account.headers, json={"name": "App4Sales"} | settings)


async def made(client: httpx.AsyncClient, account: Account, **settings: Any) -> dict[str, Any]:
    if "connectionId" not in settings:
        settings["connectionId"] = await connection(client, account)
    answer = await make(client, account, **settings)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_the_settings_are_those_of_the_page_unless_they_are_set(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    sync = await made(client, an_account)
    added = {"id", "name", "connectionId", "scheduleIds", "createdAt", "updatedAt"}
    assert {member: value for member, value in sync.items() if member not in added} == DEFAULTS
    path = f"/item-syncs/{sync['id']}"
    body = {"name": "Other", "connectionId": sync["connectionId"], **OTHERS}
    replaced = await client.put(path, headers=an_account.headers, json=body)
    assert {member: replaced.json()[member] for member in body} == body
    again = await client.put(path, headers=an_account.headers, json=replaced.json())
    assert {**again.json(), "updatedAt": ""} == {**replaced.json(), "updatedAt": ""}
    assert (await client.get(path, headers=an_account.headers)).json() == again.json()
    listed = await client.get("/item-syncs", headers=an_account.headers)
    assert listed.json() == {"links": {}, "results": [again.json()]}
    assert (await client.delete(path, headers=an_account.headers)).status_code == 204
    assert (await client.get(path, headers=an_account.headers)).status_code == 404


async def test_words_and_folders_are_taken_as_people_write_them(client: httpx.AsyncClient, an_account: Account) -> None:
    sync = await made(client, an_account, itemsPath="/items", separator="", afterwards="move:done")
    assert (sync["itemsPath"], sync["separator"], sync["afterwards"]) == ("/items/", ";", "move:done")
    other = await made(client, an_account, name="B", connectionId=sync["connectionId"], separator="Pipe")
    assert other["separator"] == "|"


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("itemsPath", "/a*/", "`itemsPath` must be a folder of at most 768 printable characters, without `..` and"),
        ("filtersPath", "/a/../b/", "`filtersPath` must be a folder of at most 768 printable characters"),
        ("itemsPath", "", "`itemsPath` must be a folder"),
        ("filtersPath", "/items", "`filtersPath` must be another folder than `itemsPath`"),
        ("filtersPath", "items/.", "`filtersPath` must be another folder than `itemsPath`"),
        ("itemsPath", "/a\n/", "`itemsPath` must be a folder"),
        ("imagesPath", "/pictures/", "`imagesPath` must name one file, in at most 1,024 printable characters"),
        ("imagesPath", "/*.zip", "`imagesPath` must name one file"),
        ("separator", "auto", "`separator` must be one of comma, semicolon, tab or pipe"),
        ("separator", ";;", "`separator` must be one of comma"),
        ("encoding", "klingon", "`encoding` must be one of"),
        ("mode", "clean", "`mode` must be incremental or full"),
        ("afterwards", "archive", "`afterwards` must be keep, delete, or move: with a folder"),
        ("afterwards", "move:/items", "`afterwards` must name another folder than `itemsPath` and `filtersPath`"),
        ("afterwards", "move:itemfilters/.", "`afterwards` must name another folder than `itemsPath` and"),
        ("afterwards", "move:", "`afterwards` must be keep, delete, or move: with a folder"),
        ("maxRemovedShare", 1.5, "`maxRemovedShare` must be at most 1"),
        ("maxErrors", -1, "`maxErrors` must be at least 0"),
        ("quietSeconds", 301, "`quietSeconds` must be at most 300"),
        ("name", " a", "`name` must be 1 to 200 characters long"),
        ("cleanData", True, "`cleanData` is not a member of this request"),
    ],
)
async def test_a_wrong_setting_is_named(
    client: httpx.AsyncClient, an_account: Account, member: str, value: object, reason: str
) -> None:
    answer = await make(client, an_account, **{"connectionId": "con_1", member: value})
    assert answer.status_code == 422
    assert [(each["path"], each["reason"].startswith(reason)) for each in answer.json()["errors"]] == [(member, True)]


async def test_the_connection_must_be_there_and_able_to_list(client: httpx.AsyncClient, an_account: Account) -> None:
    lost = await make(client, an_account, connectionId="con_1")
    assert lost.json()["errors"] == [{"path": "connectionId", "reason": "There is no connection with this id"}]
    web = await make(client, an_account, connectionId=await connection(client, an_account, "https"))
    reason = "`connectionId` is a connection over https, and folders are listed over ftp, ftps, sftp or s3"
    assert (web.status_code, web.json()["errors"]) == (422, [{"path": "connectionId", "reason": reason}])


async def test_a_name_is_taken_once(client: httpx.AsyncClient, an_account: Account) -> None:
    first = await made(client, an_account)
    again = await make(client, an_account, connectionId=first["connectionId"])
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


async def test_an_account_stores_so_many_and_no_more(
    client: httpx.AsyncClient, an_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "MOST_SYNCS", 1)
    first = await made(client, an_account)
    more = await make(client, an_account, name="B", connectionId=first["connectionId"])
    assert (more.status_code, more.json()["detail"]) == (422, "The account has 1 item syncs, and no more are allowed")


async def test_reading_and_changing_take_their_own_scopes(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount
) -> None:
    sync = await made(client, an_account)
    path = f"/item-syncs/{sync['id']}"
    reader = await a_key(["syncs:read"], name=an_account.name)
    writer = await a_key(["syncs:write"], name=an_account.name)
    assert (await client.get(path, headers=reader.headers)).status_code == 200
    assert (await client.get(path, headers=writer.headers)).status_code == 403
    assert (await client.delete(path, headers=reader.headers)).status_code == 403
    # Whoever names a connection must be allowed to use it.
    assert (await client.put(path, headers=writer.headers, json=sync)).status_code == 403
