"""`mapping` in POST /imports, as a part of the form and as a member of JSON: what it does, and how it is refused."""

import json
from typing import Any

import httpx
import pytest

from app.mappings.declaring.declaration import MOST_BYTES
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account

COLUMNS: list[dict[str, Any]] = [
    {"column": "E-Mail", "field": "_email"},
    {"column": "Vorname", "field": "_name", "trim": True},
    {"column": "Geboren", "field": "_birthdate", "dateFormat": "DD.MM.YYYY"},
    {"column": "Notiz", "ignore": True},
    {"column": "Punkte", "field": "_points", "decimalComma": True},
]
MAPPING = {
    "name": "Supplier",
    "type": "contacts",
    "columns": COLUMNS,
    "constants": {"_surname": "Ruiz"},
    "options": {"delimiter": ";", "encoding": "windows-1252", "blankCells": "clear"},
}
FILE = "e-mail;Vorname;Geboren;Notiz;Farbe\nana@example.com; Zoë ;31.01.1990;x;rot\n".encode("cp1252")


async def send(client: httpx.AsyncClient, account: Account, mapping: object, **parts: str) -> httpx.Response:
    """Only what must be there: the mapping brings the options that it needs."""
    text = mapping if isinstance(mapping, str) else json.dumps(mapping)
    data = {"type": "contacts", "mapping": text} | parts
    files = {"file": ("a.csv", FILE, "text/csv")}
    return await client.post("/imports", headers=account.headers, data=data, files=files)


async def errors(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {each["path"]: each["reason"] for each in answer.json()["errors"]}


async def test_a_mapping_brings_columns_conversions_constants_and_options(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    answer = await send(client, an_account, MAPPING)
    assert answer.status_code == 201, answer.text
    accepted = answer.json()
    assert accepted["mapping"] == {"id": "inline"}
    assert (accepted["options"]["delimiter"], accepted["options"]["blankCells"]) == (";", "clear")
    assert {each["code"]: each["subject"] for each in accepted["warnings"]} == {
        "unknown_column": "Farbe",
        "missing_column": "Punkte",
    }
    await finish(runtime, accepted["id"])
    record = await client.get("/records/contacts/ana@example.com", headers=an_account.headers)
    assert record.json()["data"] == {
        "_email": "ana@example.com",
        "_name": "Zoë",
        "_birthdate": "1990-01-31",
        "_surname": "Ruiz",
    }
    columns = await client.get(f"/imports/{accepted['id']}/columns", headers=an_account.headers)
    assert columns.json()["results"] == [
        {"column": "e-mail", "position": 0, "found": "loose", "field": "_email"},
        {"column": "Vorname", "position": 1, "found": "exact", "field": "_name"},
        {"column": "Geboren", "position": 2, "found": "exact", "field": "_birthdate"},
        {"column": "Notiz", "position": 3, "found": "ignored"},
        {"column": "Farbe", "position": 4, "found": "unknown"},
    ]


async def test_what_the_request_sets_counts_more_than_the_mapping(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    accepted = (await send(client, an_account, MAPPING, blankCells="empty", delimiter=";")).json()
    assert accepted["options"]["blankCells"] == "empty"


async def test_a_mapping_that_names_the_encoding_comes_before_the_file(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    parts = [
        ("type", (None, b"contacts")),
        ("file", ("a.csv", b"E-Mail;Vorname\na@example.com;A\n", "text/csv")),
        ("mapping", (None, json.dumps(MAPPING).encode())),
    ]
    answer = await client.post("/imports", headers=an_account.headers, files=parts)
    assert await errors(answer) == {
        "mapping": "The mapping names the encoding of the file, so it must come before the file in the form"
    }


@pytest.mark.parametrize(
    ("mapping", "wrong"),
    [
        ("{", {"mapping": "`mapping` must be JSON, with no name twice in one object"}),
        ('{"columns": [], "columns": []}', {"mapping": "`mapping` must be JSON, with no name twice in one object"}),
        ("[" * 50_000, {"mapping": "`mapping` must be JSON, with no name twice in one object"}),
        ("[]", {"mapping": "`mapping` must be a JSON object with `columns`"}),
        (
            MAPPING | {"type": "products"},
            {"mapping": "`mapping` is for another type than `type`, which is `contacts`"},
        ),
        (
            {"columns": [{"column": "A", "field": "_email", "trim": 1}, {"column": "B"}]},
            {
                "mapping.columns[0].trim": "`mapping.columns[0].trim` must be true or false",
                "mapping.columns[1]": "`mapping.columns[1]` must have either `field` or `ignore`",
            },
        ),
        (
            {"columns": [{"column": "A", "field": "_emial"}]},
            {
                "mapping.columns": "Column `A` cannot be mapped: the type `contacts` has no field `_emial`. Did you "
                "mean `_email`?"
            },
        ),
        ("x" * (MOST_BYTES + 1), {"mapping": f"The form part `mapping` is longer than {MOST_BYTES:,} bytes"}),
    ],
)
async def test_a_mapping_that_cannot_be_is_refused_in_words(
    client: httpx.AsyncClient, an_account: Account, mapping: object, wrong: dict[str, str]
) -> None:
    assert await errors(await send(client, an_account, mapping, encoding="windows-1252")) == wrong


async def test_a_header_that_is_not_the_one_of_the_mapping_is_refused_with_the_differences(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    mapping = {"columns": [{"column": "Mail", "field": "_email"}, {"column": "Ort", "ignore": True}]}
    answer = await send(client, an_account, mapping, encoding="windows-1252")
    assert (await errors(answer))["_email"].startswith("Column `Mail` is required, because it fills `_email`")
    assert "The file lacks `Mail`, which the mapping names, and has `e-mail`, `Vorname`" in answer.json()["detail"]


async def test_the_default_of_ours_takes_labels_where_connectif_takes_ids_alone(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    file = {"file": ("a.csv", b"email,First name\na@example.com,Ana\n", "text/csv")}
    wanted = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
    refused = await client.post("/imports", headers=an_account.headers, data=wanted, files=file)
    assert "Column `_email` or `_externalId` is required" in refused.json()["detail"]
    accepted = await client.post(
        "/imports", headers=an_account.headers, data=wanted | {"mappingId": "default"}, files=file
    )
    assert accepted.status_code == 201, accepted.text
    columns = await client.get(f"/imports/{accepted.json()['id']}/columns", headers=an_account.headers)
    assert [(each["field"], each["found"]) for each in columns.json()["results"]] == [
        ("_email", "loose"),
        ("_name", "label"),
    ]


async def test_the_set_of_coupons_is_that_of_the_request(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    made = await client.put("/coupon-sets/spring", headers=an_account.headers, json={"name": "Spring"})
    mapping = {"columns": [{"column": "Nr", "field": "code"}], "constants": {"couponSetId": "nobody's"}}
    data = {"type": "coupons", "couponSetId": made.json()["id"], "mapping": json.dumps(mapping)}
    files = {"file": ("a.csv", b"Nr\nX1\n", "text/csv")}
    answer = await client.post("/imports", headers=an_account.headers, data=data, files=files)
    assert answer.status_code == 201, answer.text
    await finish(runtime, answer.json()["id"])
    record = await client.get("/records/coupons/X1", headers=an_account.headers)
    assert record.json()["data"]["couponSetId"] == made.json()["id"]


async def test_a_mapping_comes_with_json_too(client: httpx.AsyncClient, an_account: Account) -> None:
    source = {"transport": "https", "url": "https://files.example.com/a.csv"}
    wanted = {"type": "contacts", "mapping": MAPPING, "source": source}
    accepted = await client.post("/imports/", headers=an_account.headers, json=wanted)
    assert accepted.status_code == 201, accepted.text
    assert accepted.json()["mapping"] == {"id": "inline"}
    columns = await client.get(f"/imports/{accepted.json()['id']}/columns", headers=an_account.headers)
    assert columns.json() == {"links": {}, "results": []}
    mistaken = wanted | {"mapping": MAPPING | {"columns": [{"column": "A", "field": "nothing"}]}}
    refused = await client.post("/imports/", headers=an_account.headers, json=mistaken)
    assert "has no field `nothing`" in (await errors(refused))["mapping.columns"]


async def test_the_largest_file_may_come_with_the_largest_mapping(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    """Hostile and wide: 2,000 columns with conversions, and tables of values, in one request."""
    columns = [{"column": f"C{number}", "ignore": True} for number in range(1, 1_500)]
    values = {f"{number:05}": "x" for number in range(8_000)}
    columns += [{"column": "E-Mail", "field": "_email"}, {"column": "V", "field": "_name", "values": values}]
    text = json.dumps({"columns": columns})
    assert 150_000 < len(text) < MOST_BYTES
    answer = await send(client, an_account, text, delimiter=";", encoding="windows-1252")
    assert answer.status_code == 201, answer.text
