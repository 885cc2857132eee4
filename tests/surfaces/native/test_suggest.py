"""POST /mappings/suggest: what the beginning of a file shows, without an import."""

import json
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from app.surfaces.native.wire.declared.mappings import Suggestion
from tests.conftest import NewAccount
from tests.support.http import Account, app_on, client_of, post, stored_files
from tests.support.workbooks import xlsx

FILE = b"E-Mail;Vorname;Notiz\nana@example.com;Ana;\nbob;Bob;x\n"


async def suggest(
    client: httpx.AsyncClient, account: Account, file: bytes | None = FILE, **parts: Any
) -> httpx.Response:
    files = {} if file is None else {"file": ("people.csv", file, "text/csv")}
    data = {"type": "contacts", **parts}
    return await client.post("/mappings/suggest", headers=account.headers, data=data, files=files or {"x": b""})


async def test_a_mapping_is_suggested_for_a_file(client: httpx.AsyncClient, an_account: Account) -> None:
    answer = await suggest(client, an_account)
    body = answer.json()
    assert answer.status_code == 200
    assert body["dialect"] == {"format": "csv", "delimiter": ";", "encoding": "utf-8", "hasHeader": True}
    assert body["columns"] == [
        {
            "column": "E-Mail",
            "position": 0,
            "field": "_email",
            "reason": "label",
            "why": "It is the label of `_email`",
            "confidence": 0.98,
            "samples": ["ana@example.com", "bob"],
            "stored": [
                {"value": "ana@example.com"},
                {"code": "type_error", "message": "The value is not a valid e-mail address"},
            ],
        },
        {
            "column": "Vorname",
            "position": 1,
            "field": "_name",
            "reason": "synonym",
            "why": "It is a usual name for a first name",
            "confidence": 0.9,
            "samples": ["Ana", "Bob"],
            "stored": [{"value": "Ana"}, {"value": "Bob"}],
        },
        {"column": "Notiz", "position": 2, "samples": ["x"]},
    ]
    assert (body["rows"], body["checked"], body["failed"], body["missing"]) == (2, True, 1, [])
    assert body["problems"][0]["samples"] == [{"line": 3, "row": 2, "value": "bob"}]


async def test_samples_are_shown_as_the_fields_would_hold_them(client: httpx.AsyncClient, an_account: Account) -> None:
    """With a mapping that the request brings along, as somebody does who corrects what was suggested."""
    file = b"Nr;Preis;Datum;Aktiv;Notiz\nA-1;1.234,50;31.12.2026;J;n/a\nA-2;viel;2026-12-31;N;x\n"
    columns = [
        {"column": "Nr", "field": "productId"},
        {"column": "Preis", "field": "unitPrice", "decimalComma": True},
        {"column": "Datum", "field": "publishedAt", "dateFormat": "DD.MM.YYYY"},
        {"column": "Aktiv", "field": "isBlacklisted", "values": {"J": "true", "N": "false"}},
        {"column": "Notiz", "field": "description", "nullMarker": "n/a"},
    ]
    mapping = json.dumps({"columns": columns, "options": {"delimiter": ";"}})
    body = (await suggest(client, an_account, file, type="products", mapping=mapping)).json()
    assert Suggestion.model_validate(body)
    wrong = {"code": "type_error", "message": "The value is not a date that looks like `DD.MM.YYYY`"}
    price, day = (body["columns"][index]["stored"] for index in (1, 2))
    assert price.pop()["message"].startswith("The value is not a number with a decimal comma")
    assert day.pop() == wrong
    assert [each["stored"] for each in body["columns"]] == [
        [{"value": "A-1"}, {"value": "A-2"}],
        [{"value": 1234.5}],
        [{"value": "2026-12-31T00:00:00Z"}],
        [{"value": True}, {"value": False}],
        [{}, {"value": "x"}],
    ]
    members = b'{"productId": "A-1", "unitPrice": 12.50}\n{"productId": "A-2", "unitPrice": true}\n'
    read = (await suggest(client, an_account, members, type="products", format="jsonl")).json()
    assert [each["stored"][0] for each in read["columns"]] == [{"value": "A-1"}, {"value": 12.5}]
    assert read["columns"][1]["stored"][1]["code"] == "type_error"


async def test_nothing_is_stored_and_no_place_in_the_queue_is_taken(
    runtime: Runtime, client: httpx.AsyncClient, an_account: Account
) -> None:
    for _ in range(runtime.settings.queue_limit):
        await post(client, an_account)
    before = stored_files(runtime)
    assert (await suggest(client, an_account)).status_code == 200
    assert stored_files(runtime) == before
    assert not runtime.under_way.uploads[an_account.id]


async def test_what_follows_the_first_256_kib_is_not_looked_at(
    runtime: Runtime, client: httpx.AsyncClient, an_account: Account
) -> None:
    file = b"_email\n" + b"ana@example.com\n" * 20_000 + b"\xff\0" * 1_000_000
    body = (await suggest(client, an_account, file)).json()
    assert (body["whole"], body["rows"], body["failed"]) == (False, 1_000, 0)
    async with client_of(app_on(runtime, max_file_bytes=1_000_000)) as small:
        assert (await suggest(small, an_account, file)).status_code == 413


async def test_a_sheet_of_a_workbook_is_looked_at_and_the_others_are_named(
    runtime: Runtime, client: httpx.AsyncClient, an_account: Account
) -> None:
    before = stored_files(runtime)
    people = [["E-Mail", "Punkte"], ["ana@example.com", 5], ["bob@example.com", "#N/A"]]
    file = xlsx({"Notes": [["nothing"]], "People": people, "Old": [["x"]]}, hidden=["Old"])
    body = (await suggest(client, an_account, file, sheet="People", delimiter=";")).json()
    assert body["workbook"] == {"name": "People", "others": ["Notes"], "hidden": ["Old"]}
    assert [(each["column"], each["field"]) for each in body["columns"]] == [
        ("E-Mail", "_email"),
        ("Punkte", "_points"),
    ]
    assert body["columns"][1]["stored"][1]["code"] == "formula_error"
    assert (body["whole"], body["rows"], body["failed"]) == (True, 2, 1)
    assert body["dialect"]["delimiter"] == ","
    refused = (await suggest(client, an_account, file, sheet="Leute")).json()
    assert [each["path"] for each in refused["errors"]] == ["sheet"]
    assert (await suggest(client, an_account, file[:3_000])).json()["code"] == "unreadable_file"
    assert stored_files(runtime) == before


async def test_every_mistake_is_named(client: httpx.AsyncClient, an_account: Account) -> None:
    answer = await suggest(client, an_account, None, delimiter="x", format="xlsx", colour="red")
    assert answer.status_code == 422
    named = {each["path"]: each["reason"] for each in answer.json()["errors"]}
    assert named.keys() == {"file", "delimiter", "format", "colour"}
    assert named["file"] == "`file` is required"


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ({"type": "nothing"}, 404, "not_found"),
        ({"type": "a\0b"}, 422, "invalid"),
        ({"type": ["contacts", "products"]}, 422, "invalid"),
        ({"encoding": "ebcdic"}, 422, "invalid"),
    ],
)
async def test_a_wrong_part_is_refused(
    client: httpx.AsyncClient, an_account: Account, parts: dict[str, Any], status: int, code: str
) -> None:
    answer = await suggest(client, an_account, **parts)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_file_that_is_none_is_refused_as_an_import_is(client: httpx.AsyncClient, an_account: Account) -> None:
    assert (await suggest(client, an_account, b"")).json()["code"] == "empty_file"
    assert (await suggest(client, an_account, b"PK\x03\x04" + b"\0" * 99)).json()["code"] == "unreadable_file"


async def test_a_template_to_begin_with_counts(client: httpx.AsyncClient, an_account: Account) -> None:
    template = {
        "name": "People",
        "type": "contacts",
        "columns": [{"column": "E-Mail", "field": "_externalId"}, {"column": "Notiz", "field": "_surname"}],
        "options": {"encoding": "windows-1252"},
    }
    made = await client.post("/mappings", headers=an_account.headers, json=template)
    file = FILE.replace(b"Ana", "Zoë".encode("cp1252"))
    parts = [("type", "contacts"), ("mappingId", made.json()["id"])]
    files = [*((name, (None, value.encode())) for name, value in parts), ("file", ("a.csv", file, "text/csv"))]
    body = (await client.post("/mappings/suggest", headers=an_account.headers, files=files)).json()
    assert [(each["field"], each["reason"]) for each in body["columns"]] == [
        ("_externalId", "template"),
        ("_name", "synonym"),
        ("_surname", "template"),
    ]
    assert body["columns"][1]["samples"][0] == "Zoë"
    assert body["templates"] == [{"id": made.json()["id"], "name": "People", "fits": 2, "columns": 2}]
    other = await suggest(client, an_account, type="products", mappingId=made.json()["id"])
    assert [each["path"] for each in other.json()["errors"]] == ["mappingId"]


async def test_it_takes_the_scope_for_reading_mappings(client: httpx.AsyncClient, a_key: NewAccount) -> None:
    assert (await suggest(client, await a_key(scopes=["imports:write"]))).status_code == 403
    assert (await suggest(client, await a_key(scopes=["mappings:read"]))).status_code == 200
