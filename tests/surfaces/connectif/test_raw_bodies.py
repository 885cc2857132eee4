"""POST /imports takes a file as its whole body, with the options in the query."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import CONTACTS, Account, app_on, client_of, post, stored_files

LINES = b'{"_email": "ana@example.com", "_name": "Ana"}\n{"_email": "bob@example.com"}\n'
WESTERN = "_email,_name\na@b.example,Zoë\n".encode("cp1252")
CONTACT = {"type": "contacts"}


async def send(
    client: httpx.AsyncClient,
    account: Account,
    body: Any,
    media_type: str = "text/csv",
    path: str = "/imports",
    **query: str,
) -> httpx.Response:
    headers = {**account.headers, "content-type": media_type}
    return await client.post(path, headers=headers, params={**CONTACT, **query}, content=body)


@pytest.mark.parametrize("path", ["/imports", "/imports/", "/imports/file", "/imports/file/"])
async def test_a_body_is_imported_as_the_same_file_in_a_form_is(
    client: httpx.AsyncClient, an_account: Account, path: str
) -> None:
    in_form = (await post(client, an_account, parts={"delimiter": "auto"})).json()
    answer = await send(client, an_account, CONTACTS, path=path)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    same = ("total", "options", "fileSha256", "fileBytes", "dialect", "warnings")
    assert {name: told[name] for name in same} == {name: in_form[name] for name in same}


@pytest.mark.parametrize(
    ("media_type", "body", "dialect"),
    [
        ("text/tab-separated-values", CONTACTS.replace(b",", b"\t"), ("csv", "\t", "utf-8")),
        ("application/jsonl", LINES, ("jsonl", None, "utf-8")),
        ("application/x-ndjson; charset=utf-8", LINES, ("jsonl", None, "utf-8")),
        ("Application/Octet-Stream", LINES, ("jsonl", None, "utf-8")),
        (
            "text/csv; charset=windows-1252",
            "_email,_name\na@b.example,Zoë\n".encode("cp1252"),
            ("csv", ",", "windows-1252"),
        ),
        ("text/csv", gzip.compress(CONTACTS, mtime=0), ("csv", ",", "utf-8")),
    ],
)
async def test_the_media_type_says_how_it_is_read(
    client: httpx.AsyncClient, an_account: Account, media_type: str, body: bytes, dialect: tuple[str, str | None, str]
) -> None:
    answer = await send(client, an_account, body, media_type)
    assert answer.status_code == 201, answer.text
    found = answer.json()["dialect"]
    assert (found["format"], found["encoding"]) == (dialect[0], dialect[2])
    assert dialect[1] is None or found["delimiter"] == dialect[1]


async def test_options_and_the_name_of_the_file_are_taken(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    coded = {**an_account.headers, "content-type": "text/csv", "content-encoding": "gzip"}
    named = {"content-disposition": "attachment; filename*=UTF-8''Einkauf%20%E2%82%AC.csv"}
    query = {**CONTACT, "overrideExisting": "false", "name": "Weekly", "blankCells": "clear", "delimiter": "semicolon"}
    body = gzip.compress(CONTACTS.replace(b",", b";"))
    answer = await client.post("/imports", headers={**coded, **named}, params=query, content=body)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["name"], told["fileName"], told["fileBytes"]) == ("Weekly", "Einkauf €.csv", len(CONTACTS))
    options = told["options"]
    assert (options["overrideExisting"], options["blankCells"], options["delimiter"]) == (False, "clear", ";")
    await finish(runtime, told["id"])
    ended = (await client.get(f"/imports/{told['id']}", headers=an_account.headers)).json()
    assert (ended["created"], ended["errors"]) == (2, 0)


async def test_every_mistake_is_named_at_once(client: httpx.AsyncClient, an_account: Account, runtime: Runtime) -> None:
    files = stored_files(runtime)
    query = {"type": "contacts", "delimeter": ",", "duplicates": "never", "encoding": "klingon", "source": "{}"}
    answer = await send(client, an_account, CONTACTS, **query)
    assert answer.status_code == 422
    wrong = {each["path"]: each["reason"] for each in answer.json()["errors"]}
    assert wrong.keys() >= {"delimeter", "duplicates", "encoding", "source"}
    assert wrong["delimeter"] == "`delimeter` is not an option of an import, so it must not be in the query"
    head = {**an_account.headers, "content-type": "text/csv"}
    twice = await client.post("/imports?type=contacts&type=products", headers=head, content=CONTACTS)
    assert twice.json()["errors"] == [{"path": "type", "reason": "`type` was sent more than once"}]
    assert stored_files(runtime) == files


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"", "text/csv", 422, "empty_file"),
        (b"PK\x03\x04" + bytes(200), "text/csv", 422, "unreadable_file"),
        (CONTACTS * 3, "text/csv", 413, "too_large"),
        (CONTACTS, "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (CONTACTS, "text/plain", 415, "unsupported_media_type"),
    ],
)
async def test_what_a_form_would_be_refused_for_is_refused(
    runtime: Runtime, an_account: Account, body: bytes, media_type: str, status: int, code: str
) -> None:
    files = stored_files(runtime)
    async with client_of(app_on(runtime, max_file_bytes=210)) as client:
        for sent in (body, pieces(body)):  # with a length and without one
            answer = await send(client, an_account, sent, media_type)
            assert (answer.status_code, answer.json()["code"]) == (status, code), json.loads(answer.content)
    assert stored_files(runtime) == files


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), 50):
        yield body[at : at + 50]


async def test_a_full_queue_is_told_before_the_body_is_read(runtime: Runtime, an_account: Account) -> None:
    async with client_of(app_on(runtime, queue_limit=0)) as client:
        answer = await send(client, an_account, CONTACTS)
        assert (answer.status_code, answer.json()["code"]) == (400, "E0401")
