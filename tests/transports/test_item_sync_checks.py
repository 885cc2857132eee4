"""The test of an item sync: step by step, up to the first that fails."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from app.transports.transport import TransferPolicy
from tests.support.http import Account, app_on, client_of
from tests.support.workbooks import xlsx
from tests.transports.servers.ftp import FtpServer
from tests.transports.servers.server import Server
from tests.transports.test_connections import body

ITEMS = b"ItemCode;Description\nA;Shirt\n"
FILTERS = b"ItemCode;ClassName;ClassValue\nA;Color;Red\n"
ZIP = b"PK\x05\x06" + b"\0" * 18
HEADER = {"step": "items header", "ok": True, "found": "ItemCode;Description"}


@pytest.fixture
async def ftp(running_ftp: FtpServer) -> FtpServer:
    await running_ftp.clear()
    return running_ftp


@pytest.fixture
async def api(
    runtime: Runtime, an_account: Account, patient: Callable[..., TransferPolicy]
) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app_on(replace(runtime, transfer_policy=patient()))) as client:
        client.headers.update(an_account.headers)
        yield client


async def tried(api: httpx.AsyncClient, server: Server, **settings: Any) -> list[dict[str, Any]]:
    """The steps of the test of an item sync with these settings."""
    connection = (await api.post("/connections", json=body(server.remote))).json()["id"]
    places = {"itemsPath": "items/", "filtersPath": "itemfilters/", "imagesPath": "itempictures.zip"}
    sync = await api.post("/item-syncs", json={"name": "Shop", "connectionId": connection, **places, **settings})
    assert sync.status_code == 201, sync.text
    answer = await api.post(f"/item-syncs/{sync.json()['id']}/test")
    assert answer.status_code == 200, answer.text
    steps: list[dict[str, Any]] = answer.json()["steps"]
    assert answer.json()["ok"] == all(each["ok"] for each in steps)
    return steps


async def test_every_step_tells_what_it_has_found(api: httpx.AsyncClient, ftp: FtpServer) -> None:
    await ftp.store("items/a.csv", ITEMS + b"A;Shirt\n" * 100_000)  # it is not read to its end
    for name, data in {"items/b.CSV": ITEMS, "itemfilters/f.csv": FILTERS}.items():
        await ftp.store(name, data)
    await ftp.store("itempictures.zip", ZIP)
    await ftp.store("done/x.csv", b"")
    before = await ftp.names()
    steps = await tried(api, ftp, afterwards="move:done")
    assert all(each["ok"] for each in steps), steps
    assert steps[0]["step"] == "connect"
    assert [(each["step"], each["found"]) for each in steps[1:]] == [
        ("items", "2 files, 800,058 bytes"),
        ("filters", "1 file, 42 bytes"),
        ("images", "1 file, 22 bytes"),
        ("afterwards", "The folder `done` exists"),
        ("items header", "ItemCode;Description"),
        ("filters header", "ItemCode;ClassName;ClassValue"),
        ("images content", "a ZIP archive"),
    ]
    assert await ftp.names() == before


@pytest.mark.parametrize(
    ("files", "settings", "step", "why"),
    [
        ({}, {}, "items", "The folder `items/` of the item files does not exist. Nothing was changed"),
        (
            {"items/a.txt": b""},
            {"mode": "full"},
            "items",
            "A full sync needs item files, and the folder `items/` has no `*.csv` file. Nothing was changed",
        ),
        (
            {"items/a.csv": ITEMS},
            {"afterwards": "move:done"},
            "afterwards",
            "The folder `done` does not exist, so files cannot be moved to it",
        ),
        ({"items/a.csv": b"Code;Name\nA;B\n"}, {}, "items header", "`items/a.csv`: "),
        ({"items/a.csv": ITEMS}, {"separator": ","}, "items header", "`items/a.csv`: "),
        ({"items/a.csv": b"PK\x03\x04" + b"\0" * 600}, {}, "items header", "`items/a.csv`: The file is "),
        (  # the contract of the folders is CSV
            {"items/a.csv": xlsx({"Items": [["ItemCode"], ["A-1"]]})},
            {},
            "items header",
            "`items/a.csv`: The file is a spreadsheet workbook (.xlsx), not CSV or JSON Lines. Open it in the program",
        ),
        (
            {"items/a.csv": ITEMS, "itempictures.zip": b"GIF89a"},
            {},
            "images content",
            "`itempictures.zip` is not a ZIP archive",
        ),
    ],
)
async def test_the_first_step_that_fails_is_the_last_and_says_why(
    api: httpx.AsyncClient, ftp: FtpServer, files: dict[str, bytes], settings: dict[str, Any], step: str, why: str
) -> None:
    for name, data in files.items():
        await ftp.store(name, data)
    first, *_, last = await tried(api, ftp, **settings)
    assert (first["step"], first["ok"]) == ("connect", True)
    assert (last["step"], last["ok"]) == (step, False)
    assert last["why"].startswith(why)


async def test_what_a_run_can_do_without_is_no_failure(api: httpx.AsyncClient, ftp: FtpServer) -> None:
    await ftp.store("items/a.csv", ITEMS)
    steps = await tried(api, ftp)
    assert steps[2:] == [
        {"step": "filters", "ok": True, "found": "The folder does not exist. Filters stay as they are"},
        {"step": "images", "ok": True, "found": "The file does not exist. Pictures stay as they are"},
        HEADER,
    ]


async def test_a_wrong_password_is_a_step_of_its_own(api: httpx.AsyncClient, ftp: FtpServer) -> None:
    connection = (await api.post("/connections", json=body(ftp.unwelcome()))).json()["id"]
    sync = (await api.post("/item-syncs", json={"name": "Shop", "connectionId": connection})).json()["id"]
    steps = (await api.post(f"/item-syncs/{sync}/test")).json()["steps"]
    assert [(each["step"], each["ok"]) for each in steps] == [("connect", True), ("authenticate", False)]
