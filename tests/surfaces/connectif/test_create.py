"""POST /imports as Connectif documents it: what is accepted, and every way in which it is refused."""

import asyncio
import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import CONTACTS, PARTS, Account, app_on, client_of, post, stored_files

FILE = {"file": ("contacts.csv", CONTACTS, "text/csv")}


async def complaints(client: httpx.AsyncClient, account: Account, **request: Any) -> dict[str, str]:
    answer = await client.post("/imports", headers=account.headers, **request)
    body = answer.json()
    assert (answer.status_code, body["status"], body["title"]) == (422, 422, "Unprocessable Entity")
    assert body["validationErrors"] == body["errors"]
    return {each["path"]: each["reason"] for each in body["validationErrors"]}


async def test_an_accepted_import_is_queued_and_has_its_total_already(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    answer = await post(client, an_account)

    body = answer.json()
    own = f"http://sluice.test/imports/{body['id']}"
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["retry-after"]) > 0
    assert re.fullmatch(r"[0-9a-f]{24}", body.pop("id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body.pop("createdAt"))
    assert body == {
        "type": "contacts",
        "status": "queued",
        "origin": "api",
        "total": 2,
        "success": 0,
        "errors": 0,
        "options": {
            "delimiter": ",",
            "overrideExisting": True,
            "updateOnlyEmptyFields": False,
            "blankCells": "keep",
            "duplicates": "last",
        },
        "created": 0,
        "updated": 0,
        "unchanged": 0,
        "skipped": 0,
        "remaining": 2,
        "done": False,
        "percent": 0.0,
        "waitsFor": {
            "code": "turn",
            "detail": "It is number 1 of those that wait. Runs take turns of about a second each, so it starts as soon "
            "as a worker is free",
        },
        "queuePosition": 1,
        "errorSummary": [],
        "warnings": [],
        "fileName": "contacts.csv",
        "fileBytes": len(CONTACTS),
        "fileSha256": hashlib.sha256(CONTACTS).hexdigest(),
        "dialect": {"format": "csv", "delimiter": ",", "encoding": "utf-8"},
        "links": {
            "self": own,
            "problems": f"{own}/problems",
            "failedRows": f"{own}/failed-rows.csv",
            "results": f"{own}/results",
            "cancel": f"{own}/cancel",
        },
    }


@pytest.mark.parametrize("path", ["/imports", "/imports/"])
async def test_both_spellings_of_the_path_answer_directly(
    client: httpx.AsyncClient, an_account: Account, path: str
) -> None:
    answer = await client.post(path, headers=an_account.headers, data=PARTS, files=FILE)
    assert answer.status_code == 201


async def test_every_wrong_part_is_named_at_once(client: httpx.AsyncClient, an_account: Account) -> None:
    parts = {"type": "people", "delimiter": "#", "overrideExisting": "maybe", "blankCells": "x", "format": "xlsx"}
    found = await complaints(client, an_account, data=parts | {"unknownColumns": "?", "duplicates": "?"}, files=FILE)
    # An unknown type could be the account's own: parts that only the three built-in types require are not missing.
    assert found.keys() == {
        "type",
        "delimiter",
        "overrideExisting",
        "blankCells",
        "format",
        "unknownColumns",
        "duplicates",
    }


async def test_a_form_without_any_part_misses_all_that_are_required(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    found = await complaints(client, an_account, files={"other": (None, "x")})
    required = ("type", "overrideExisting", "updateOnlyEmptyFields", "delimiter")
    assert found.pop("file") == "One of `file`, `connectionId` and `source` is required"
    assert found == {part: f"`{part}` is required" for part in required}


@pytest.mark.parametrize("part", ["delimiter", "overrideExisting", "updateOnlyEmptyFields", "type"])
async def test_a_required_part_that_is_missing_is_named(
    client: httpx.AsyncClient, an_account: Account, part: str
) -> None:
    parts = {name: value for name, value in PARTS.items() if name != part}
    assert await complaints(client, an_account, data=parts, files=FILE) == {part: f"`{part}` is required"}


async def test_filling_empty_fields_needs_permission_to_override(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    parts = PARTS | {"overrideExisting": "false", "updateOnlyEmptyFields": "true"}
    assert list(await complaints(client, an_account, data=parts, files=FILE)) == ["updateOnlyEmptyFields"]


async def test_two_files_in_one_form_are_refused_and_leave_nothing(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    before = stored_files(runtime)
    two = [("file", ("a.csv", CONTACTS)), ("file", ("b.csv", CONTACTS))]
    assert list(await complaints(client, an_account, data=PARTS, files=two)) == ["file"]
    assert stored_files(runtime) == before


async def test_coupons_need_a_set_that_exists(client: httpx.AsyncClient, an_account: Account, runtime: Runtime) -> None:
    coupons = {"file": ("coupons.csv", b"code\nA1\n")}
    parts = PARTS | {"type": "coupons"}
    missing = await complaints(client, an_account, data=parts, files=coupons)
    assert missing == {"couponSetId": "`couponSetId` is required"}
    unknown = await complaints(client, an_account, data=parts | {"couponSetId": "61fa"}, files=coupons)
    assert list(unknown) == ["couponSetId"]

    await client.put("/coupon-sets/61fa", headers=an_account.headers, json={"name": "Spring"})
    answer = await client.post(
        "/imports", headers=an_account.headers, data=parts | {"couponSetId": "61fa"}, files=coupons
    )

    assert answer.status_code == 201
    assert answer.json()["options"]["couponSetId"] == "61fa"


async def test_coupons_land_in_their_set(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await client.put("/coupon-sets/summer", headers=an_account.headers, json={})
    parts = {"type": "coupons", "couponSetId": "summer"}
    run = (await post(client, an_account, b"code\nA1\nA2\n", parts=parts)).json()
    await finish(runtime, run["id"])

    coupons = (await client.get("/coupon-sets/summer", headers=an_account.headers)).json()
    record = (await client.get("/records/coupons/A1", headers=an_account.headers)).json()

    assert coupons["quantity"] == 2
    assert record["data"] == {"code": "A1", "couponSetId": "summer"}


async def test_booleans_may_be_written_as_python_does(client: httpx.AsyncClient, an_account: Account) -> None:
    answer = await post(client, an_account, parts={"overrideExisting": "True", "updateOnlyEmptyFields": "False"})
    assert answer.status_code == 201
    assert answer.json()["options"]["overrideExisting"] is True


async def test_an_unknown_part_is_ignored(client: httpx.AsyncClient, an_account: Account) -> None:
    assert (await post(client, an_account, parts={"comment": "\ud7ff\0 hello"})).status_code == 201


async def test_a_file_part_needs_neither_a_name_nor_a_type(client: httpx.AsyncClient, an_account: Account) -> None:
    boundary = "x" * 30
    fields = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in PARTS.items()
    )
    file = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\n{CONTACTS.decode()}\r\n--{boundary}--\r\n'
    )
    headers = an_account.headers | {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}

    answer = await client.post("/imports", headers=headers, content=(fields + file).encode())

    assert answer.status_code == 201, answer.text
    assert answer.json()["total"] == 2
    assert "fileName" not in answer.json()


async def test_the_file_may_come_first(client: httpx.AsyncClient, an_account: Account) -> None:
    ordered = {"file": ("a.csv", CONTACTS)} | {name: (None, value) for name, value in PARTS.items()}
    answer = await client.post("/imports", headers=an_account.headers, files=ordered)
    assert answer.status_code == 201


@pytest.mark.parametrize("kind", ["application/xml", "text/plain", "application/x-www-form-urlencoded", None])
async def test_a_body_that_is_neither_multipart_nor_json_is_unsupported(
    client: httpx.AsyncClient, an_account: Account, kind: str | None
) -> None:
    headers = an_account.headers | ({"Content-Type": kind} if kind else {})
    answer = await client.post("/imports", headers=headers, content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b""),
        ("multipart/form-data; boundary=" + "b" * 300, b""),
        ("multipart/form-data; boundary=abc", b""),
        ("multipart/form-data; boundary=abc", b"hello"),
        ("multipart/form-data; boundary=abc", b"--abc\r\nContent-Disposition: form-data\r\n\r\nx\r\n--abc--\r\n"),
        (
            "multipart/form-data; boundary=abc",
            b'--abc\r\nContent-Disposition: form-data; name="file"\r\n\r\n_email\r\n',
        ),
        ("multipart/form-data; boundary=abc", b"--abc\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\nx\r\n--abc--\r\n"),
        ("multipart/form-data; boundary=abc", b"--abc\r\n" + b"X: y\r\n" * 1_000 + b"\r\nx\r\n--abc--\r\n"),
    ],
)
async def test_a_broken_form_is_a_bad_request_and_leaves_nothing(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, kind: str, body: bytes
) -> None:
    before = stored_files(runtime)
    answer = await client.post("/imports", headers=an_account.headers | {"Content-Type": kind}, content=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["title"]) == (400, "bad_request", "Bad Request")
    assert stored_files(runtime) == before


async def test_an_empty_file_is_refused(client: httpx.AsyncClient, an_account: Account, runtime: Runtime) -> None:
    before = stored_files(runtime)
    answer = await post(client, an_account, b"")
    assert (answer.status_code, answer.json()["code"]) == (422, "empty_file")
    assert answer.json()["validationErrors"][0]["path"] == "file"
    assert stored_files(runtime) == before


async def test_a_header_without_rows_finishes_with_a_total_of_0(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = (await post(client, an_account, b"_email\n")).json()
    assert run["total"] == 0
    await finish(runtime, run["id"])
    ended = (await client.get(f"/imports/{run['id']}", headers=an_account.headers)).json()
    assert (ended["status"], ended["outcome"], ended["percent"]) == ("finished", "complete", 100.0)


async def test_a_file_without_the_key_column_is_refused_by_name(client: httpx.AsyncClient, an_account: Account) -> None:
    answer = await post(client, an_account, b"_name\nJohn\n")
    assert answer.status_code == 422
    assert answer.json()["validationErrors"][0]["path"] == "_email"


async def test_headings_of_the_three_types_must_match_the_case_of_the_field(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    answer = await post(client, an_account, b"_EMAIL\njohn@example.org\n")
    assert answer.status_code == 422


async def test_the_eleventh_waiting_import_is_refused_with_connectifs_code(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    for _ in range(10):
        assert (await post(client, an_account)).status_code == 201
    before = stored_files(runtime)

    answer = await post(client, an_account)

    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (400, 400, "E0401")
    assert int(answer.headers["retry-after"]) > 0
    assert stored_files(runtime) == before


async def test_of_fifty_parallel_imports_exactly_ten_get_in(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    before = stored_files(runtime)
    answers = await asyncio.gather(*(post(client, an_account) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [400] * 40
    assert len(stored_files(runtime) - before) == 10
    positions = sorted(answer.json()["queuePosition"] for answer in answers if answer.status_code == 201)
    assert positions[-1] <= 10


async def test_there_is_room_again_once_an_import_has_ended(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    runs = [(await post(client, an_account)).json() for _ in range(10)]
    await finish(runtime, runs[0]["id"])
    assert (await post(client, an_account)).status_code == 201


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252", "ISO_8859-1"])
async def test_a_declared_encoding_is_read(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish, encoding: str
) -> None:
    file = "_email,_name\nz@example.org,Zoë\n".encode(encoding)
    run = (await post(client, an_account, file, parts={"encoding": encoding})).json()
    await finish(runtime, run["id"])
    record = (await client.get("/records/contacts/z@example.org", headers=an_account.headers)).json()
    assert record["data"]["_name"] == "Zoë"
    assert run["fileBytes"] == len(file)


async def test_an_encoding_that_comes_after_the_file_is_refused(client: httpx.AsyncClient, an_account: Account) -> None:
    ordered = {"file": ("a.csv", CONTACTS)} | {name: (None, value) for name, value in PARTS.items()}
    late = ordered | {"encoding": (None, "windows-1252")}
    assert await complaints(client, an_account, files=late) == {
        "encoding": "`encoding` must come before the file in the form"
    }
    # An encoding that does not change how the file was read may come after it.
    harmless = ordered | {"encoding": (None, "utf-8")}
    assert (await client.post("/imports", headers=an_account.headers, files=harmless)).status_code == 201


async def test_an_unknown_encoding_is_reported_with_the_other_mistakes(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    found = await complaints(client, an_account, data=PARTS | {"encoding": "klingon", "delimiter": "x"}, files=FILE)
    assert found.keys() == {"encoding", "delimiter"}


async def test_gzip_is_unpacked(client: httpx.AsyncClient, an_account: Account) -> None:
    packed = gzip.compress(CONTACTS, mtime=0)
    body = (await post(client, an_account, packed, name="contacts.csv.gz")).json()
    assert (body["total"], body["fileBytes"]) == (2, len(packed))


async def test_a_gzip_bomb_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    before = stored_files(runtime)
    answer = await post(client, an_account, gzip.compress(b"_email\n" + b"a" * 100_000_000, mtime=0))
    assert answer.status_code in (413, 422)
    assert stored_files(runtime) == before


async def test_the_largest_file_passes_and_one_byte_more_does_not(runtime: Runtime, a_key: NewAccount) -> None:
    account, limit = await a_key(), 100_000
    rows = b"_email\n" + b"a@example.org\n" * 10_000
    async with client_of(app_on(runtime, max_file_bytes=limit)) as client:
        before = stored_files(runtime)
        refused = await post(client, account, rows[: limit + 1])
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert stored_files(runtime) == before
        assert (await post(client, account, rows[:limit])).status_code == 201


@pytest.mark.parametrize("parts", [{"type": "con\0tacts"}, {"nullMarker": "a\0b"}])
async def test_a_nul_in_a_part_is_refused(
    client: httpx.AsyncClient, an_account: Account, parts: dict[str, str]
) -> None:
    assert (await complaints(client, an_account, data=PARTS | parts, files=FILE)).keys() == parts.keys()


async def test_a_part_that_was_sent_twice_is_named(client: httpx.AsyncClient, an_account: Account) -> None:
    twice = [*((name, (None, value)) for name, value in PARTS.items()), ("delimiter", (None, ";"))]
    found = await complaints(client, an_account, files=[*twice, ("file", ("a.csv", CONTACTS))])
    assert list(found) == ["delimiter"]


async def test_a_part_longer_than_its_limit_and_too_many_parts_are_refused(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    assert list(await complaints(client, an_account, data=PARTS | {"nullMarker": "x" * 65_537}, files=FILE)) == [
        "nullMarker"
    ]
    many = {f"part{number}": "x" for number in range(60)}
    assert (await client.post("/imports", headers=an_account.headers, data=many, files=FILE)).status_code == 400


async def test_an_own_type_needs_only_its_name_and_a_file(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    body = {"key": "sku", "fields": [{"id": "sku", "type": "text"}, {"id": "price", "type": "decimal"}]}
    await client.put("/types/articles", headers=an_account.headers, json=body)
    file = {"file": ("articles.csv", b"SKU;Price\nA-1;19.90\n")}

    run = (await client.post("/imports", headers=an_account.headers, data={"type": "articles"}, files=file)).json()
    await finish(runtime, run["id"])
    record = await client.get("/records/articles/A-1", headers=an_account.headers)

    assert run["options"]["overrideExisting"] is True
    assert run["dialect"]["delimiter"] == ";"
    assert '"price": 19.90' in record.text


async def test_endless_data_after_the_form_is_not_read_for_ever(runtime: Runtime, an_account: Account) -> None:
    small = {"max_file_bytes": 1_000, "max_form_parts": 5, "max_part_bytes": 1_000}
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--abc\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--abc--\r\n'
        while sent < 100_000_000:
            sent += 65_536
            yield bytes(65_536)

    headers = an_account.headers | {"Content-Type": "multipart/form-data; boundary=abc"}
    async with client_of(app_on(runtime, **small)) as client:
        answer = await client.post("/imports", headers=headers, content=endless())
    assert answer.status_code == 400


async def test_json_of_the_wrong_kind_gets_one_complaint(client: httpx.AsyncClient, an_account: Account) -> None:
    told = await complaints(client, an_account, json=PARTS | {"overrideExisting": 1, "delimiter": 7, "encoding": []})
    assert told == {
        "overrideExisting": "`overrideExisting` must be true or false",
        "delimiter": "`delimiter` must be a string",
        "encoding": "`encoding` must be a string",
        "file": "One of `file`, `connectionId` and `source` is required",
    }
    answer = await client.post("/imports", headers=an_account.headers, json=PARTS | {"type": {}})
    assert [each["path"] for each in answer.json()["errors"]] == ["file", "type"]


async def test_an_import_is_called_by_the_name_that_it_was_given(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    name = "Précios — maíz 🌽"
    created = (await post(client, an_account, parts={"name": name})).json()
    unnamed = (await post(client, an_account, parts={"name": ""})).json()

    listed = (await client.get("/imports", headers=an_account.headers)).json()["results"]
    assert [each.get("name") for each in (created, unnamed)] == [name, None]
    assert [each.get("name") for each in listed] == [None, name]


@pytest.mark.parametrize("name", [" Prices", "Pri\nces", "Pri\x85ces", "x" * 201, " "])
async def test_a_name_that_no_list_can_show_is_refused(
    client: httpx.AsyncClient, an_account: Account, name: str
) -> None:
    reason = "`name` must be 1 to 200 characters long, without line breaks or surrounding spaces"
    assert await complaints(client, an_account, data=PARTS | {"name": name}, files=FILE) == {"name": reason}
    source = {"transport": "https", "url": "https://example.com/a.csv"}
    assert await complaints(client, an_account, json=PARTS | {"name": name, "source": source}) == {"name": reason}
