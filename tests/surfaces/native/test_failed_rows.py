"""What is wrong with an import's rows: page by page, and as a file that can be corrected and sent back."""

import csv
import io
from dataclasses import replace

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, app_on, client_of, post

HEADER = b"_email,_name,_points\n"
ROWS = b'a@example.org,Ann,1\nnobody,Bob,2\nc@example.org,Cid,many\nd@example.org,Dan\ne@example.org,"Eve, of E",x\n'


async def imported(
    client: httpx.AsyncClient,
    account: Account,
    runtime: Runtime,
    finish: Finish,
    file: bytes,
    name: str = "contacts.csv",
) -> str:
    answer = await post(client, account, file, name=name)
    assert answer.status_code == 201, answer.text
    await finish(runtime, answer.json()["id"])
    return str(answer.json()["id"])


async def test_problems_come_in_the_files_order_page_by_page(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = await imported(client, an_account, runtime, finish, HEADER + ROWS)

    found, address, pages = [], f"http://sluice.test/imports/{run}/problems?limit=3", 0
    while address:
        page = (await client.get(address, headers=an_account.headers)).json()
        found += page["results"]
        address, pages = page["links"].get("next"), pages + 1

    assert pages == 2
    assert [(each["line"], each["row"], each["code"], each["column"]) for each in found] == [
        (3, 2, "type_error", "_email"),
        (4, 3, "type_error", "_points"),
        (5, 4, "missing_cell", None),
        (6, 5, "type_error", "_points"),
    ]
    assert found[1].keys() == {"line", "row", "column", "field", "code", "message", "value", "key"}
    assert found[1]["value"] == "many"


async def test_failed_rows_are_a_file_to_download(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = await imported(client, an_account, runtime, finish, HEADER + ROWS)

    answer = await client.get(f"/imports/{run}/failed-rows.csv", headers=an_account.headers)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{run}-failed-rows.csv"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["_email", "_name", "_points", "_line", "_codes", "_messages"]
    assert [row[:5] for row in rows[1:]] == [
        ["nobody", "Bob", "2", "3", "type_error"],
        ["c@example.org", "Cid", "many", "4", "type_error"],
        ["", "", "", "5", "missing_cell"],
        ["e@example.org", "Eve, of E", "x", "6", "type_error"],
    ]


async def test_a_corrected_file_of_failed_rows_imports_as_it_is(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = await imported(client, an_account, runtime, finish, HEADER + ROWS)
    failed = (await client.get(f"/imports/{run}/failed-rows.csv", headers=an_account.headers)).text
    corrected = failed.replace("nobody", "b@example.org").replace("many", "3").replace(",x,", ",5,")
    corrected = corrected.replace(",,,5,", "d@example.org,Dan,,5,")

    again = await imported(client, an_account, runtime, finish, corrected.encode())

    shown = (await client.get(f"/imports/{again}", headers=an_account.headers)).json()
    assert (shown["created"], shown["errors"], shown["warnings"]) == (4, 0, [])


async def test_failed_rows_of_many_batches_all_come(an_account: Account, runtime: Runtime, finish: Finish) -> None:
    small = replace(runtime, settings=runtime.settings.model_copy(update={"batch_rows": 10}))
    rows = b"".join(b"p%d@example.org,P,%s\n" % (number, b"x" if number % 7 == 0 else b"1") for number in range(200))
    async with client_of(app_on(small)) as client:
        run = await imported(client, an_account, small, finish, HEADER + rows)
        answer = await client.get(f"/imports/{run}/failed-rows.csv", headers=an_account.headers)

    failed = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["_email"] for row in failed] == [f"p{number}@example.org" for number in range(0, 200, 7)]
    assert [row["_line"] for row in failed] == [str(number + 2) for number in range(0, 200, 7)]


async def test_an_import_without_errors_has_a_file_of_nothing_but_the_header(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = await imported(client, an_account, runtime, finish, HEADER + b"a@example.org,Ann,1\n")
    answer = await client.get(f"/imports/{run}/failed-rows.csv", headers=an_account.headers)
    assert answer.text == "\ufeff_email,_name,_points,_line,_codes,_messages\r\n"


async def test_failed_rows_of_json_lines_have_the_types_columns(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    file = b'{"_email": "a@example.org", "_points": "many"}\n{"_email": "b@example.org"}\n{broken\n'
    run = await imported(client, an_account, runtime, finish, file, name="contacts.jsonl")
    answer = await client.get(f"/imports/{run}/failed-rows.csv", headers=an_account.headers)
    failed = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [(row["_email"], row["_points"], row["_line"]) for row in failed] == [
        ("a@example.org", "many", "1"),
        ("", "", "3"),
    ]
    assert "{broken" in failed[1]["_messages"]


async def test_bytes_that_are_no_text_are_shown_and_the_file_stays_utf_8(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = await imported(client, an_account, runtime, finish, HEADER + b"a@example.org,Zo\xeb,1\n")
    answer = await client.get(f"/imports/{run}/failed-rows.csv", headers=an_account.headers)
    assert r"The row as sent: a@example.org,Zo\xeb,1" in answer.content.decode()


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "cursor=x", "cursor=1.2.3", "cursor=%00"])
async def test_a_wrong_query_is_named(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, query: str
) -> None:
    run = (await post(client, an_account)).json()["id"]
    answer = await client.get(f"/imports/{run}/problems?{query}", headers=an_account.headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["errors"][0]["path"] == query.partition("=")[0]
