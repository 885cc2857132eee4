"""What people type into requests and into cells: words for characters, charsets, codings, numbers, dates, addresses."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import PARTS, Account, post

FILES = Path(__file__).parent / "files"
TABS = b"_email\t_name\ntabs@example.com\tTabs\n"
SEMICOLONS = b"_email;_name\nsemi@example.com;Semi\n"


async def read_import(client: httpx.AsyncClient, account: Account, run_id: str) -> dict[str, Any]:
    body: dict[str, Any] = (await client.get(f"/imports/{run_id}", headers=account.headers)).json()
    return body


async def read_name(client: httpx.AsyncClient, account: Account, key: str) -> str:
    answer = await client.get(f"/records/contacts/{key}", headers=account.headers)
    assert answer.status_code == 200, answer.text
    name: str = answer.json()["data"]["_name"]
    return name


@pytest.mark.parametrize(
    ("word", "file"),
    [
        ("\\t", TABS),
        ("tab", TABS),
        ("TAB", TABS),
        ("\t", TABS),
        ("semicolon", SEMICOLONS),
        (" ; ", SEMICOLONS),
        ("comma", TABS.replace(b"\t", b",")),
        ("pipe", TABS.replace(b"\t", b"|")),
        ("Auto", SEMICOLONS),
    ],
)
async def test_a_delimiter_may_be_a_word(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, word: str, file: bytes
) -> None:
    answer = await post(client, an_account, file, parts={"delimiter": word})
    assert answer.status_code == 201, answer.text
    await finish(runtime, answer.json()["id"])

    found = await read_import(client, an_account, answer.json()["id"])
    assert (found["total"], found["created"]) == (1, 1)
    assert found["options"]["delimiter"] in (",", ";", "\t", "|")


async def test_a_connection_takes_the_same_words(client: httpx.AsyncClient, an_account: Account) -> None:
    connection = {"name": "web", "transport": "https", "host": "files.example.org"}
    made = await client.post("/connections", headers=an_account.headers, json=connection)
    path = f"/connections/{made.json()['id']}/imports"
    body = {"type": "contacts", "path": "/people.csv"}

    good = await client.post(path, headers=an_account.headers, json=body | {"delimiter": "tab"})
    bad = await client.post(path, headers=an_account.headers, json=body | {"delimiter": "colon"})

    assert good.status_code == 201, good.text
    run = await read_import(client, an_account, good.json()["results"][0]["importId"])
    assert run["options"]["delimiter"] == "\t"
    assert bad.json()["errors"] == [
        {"path": "delimiter", "reason": "`delimiter` must be one of comma, semicolon, tab, pipe and auto"}
    ]


async def test_a_delimiter_that_curl_dropped_is_explained(client: httpx.AsyncClient, an_account: Account) -> None:
    answer = await post(client, an_account, SEMICOLONS, parts={"delimiter": ""})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "path": "delimiter",
            "reason": "`delimiter` was sent empty. curl drops the semicolon of `-F 'delimiter=;'`: "
            "use `--form-string 'delimiter=;'`, or send the word `semicolon`",
        }
    ]


async def test_an_empty_part_is_an_absent_part(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    optional = ("format", "encoding", "blankCells", "duplicates", "unknownColumns", "confirmEmail", "connectionId")
    empty = dict.fromkeys((*optional, "path", "source", "nullMarker"), "")

    answer = await post(client, an_account, parts=empty)

    assert answer.status_code == 201, answer.text
    assert "nullMarker" not in answer.json()["options"]
    required = await post(client, an_account, parts={"type": "", "overrideExisting": ""})
    assert {each["path"]: each["reason"] for each in required.json()["errors"]} == {
        "type": "`type` is required, but was sent empty",
        "overrideExisting": "`overrideExisting` is required, but was sent empty",
    }


async def test_an_unquoted_name_in_a_quoted_boundary_is_read(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    """As .NET sends it."""
    texts = "".join(
        f"--b1\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n" for name, value in PARTS.items()
    )
    file = (
        "--b1\r\nContent-Type: application/vnd.ms-excel\r\n"
        "Content-Disposition: form-data; name=file; filename=people.csv\r\n\r\n"
        "_email,_name\r\nnet@example.com,Net\r\n\r\n--b1--\r\n"
    )
    headers = an_account.headers | {"Content-Type": 'multipart/form-data; boundary="b1"'}

    answer = await client.post("/imports", headers=headers, content=(texts + file).encode())

    assert answer.status_code == 201, answer.text
    await finish(runtime, answer.json()["id"])
    assert await read_name(client, an_account, "net@example.com") == "Net"
