"""Text is cleaned where a person cannot see it, quotes are judged by row, and corrected rows come back undamaged."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post

FILES = Path(__file__).parent / "files"


class Sender:
    """Sends files of one account and works on them until they have ended."""

    def __init__(self, client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish) -> None:
        self.client, self.account, self.runtime, self.finish = client, account, runtime, finish

    async def send(self, data: bytes, name: str = "field.csv", **parts: str) -> dict[str, Any]:
        answer = await post(self.client, self.account, data, name=name, parts=parts)
        assert answer.status_code == 201, answer.text
        await self.finish(self.runtime, answer.json()["id"])
        shown: dict[str, Any] = await self.get(f"/imports/{answer.json()['id']}")
        assert shown["status"] == "finished"
        assert shown["total"] == sum(shown[name] for name in ("created", "updated", "unchanged", "skipped", "errors"))
        return shown

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path, headers=self.account.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def problems(self, shown: dict[str, Any]) -> list[tuple[int, str]]:
        found = (await self.get(f"/imports/{shown['id']}/problems"))["results"]
        return [(each["line"], each["code"]) for each in found]

    async def record(self, key: str, type: str = "contacts") -> dict[str, Any]:
        record: dict[str, Any] = (await self.get(f"/records/{type}/{key}"))["data"]
        return record

    async def failed_rows(self, shown: dict[str, Any]) -> bytes:
        answer = await self.client.get(f"/imports/{shown['id']}/failed-rows.csv", headers=self.account.headers)
        assert answer.status_code == 200
        return answer.content


@pytest.fixture
def sender(client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish) -> Sender:
    return Sender(client, an_account, runtime, finish)


def counts(shown: dict[str, Any]) -> tuple[int, int, int]:
    return shown["total"], shown["created"], shown["errors"]


def warned(shown: dict[str, Any]) -> dict[str, str]:
    return {each["code"]: each["message"] for each in shown["warnings"]}


def file(name: str) -> bytes:
    return (FILES / f"{name}.csv").read_bytes()


# The correction loop


async def test_corrected_rows_of_a_windows_file_come_back_with_the_same_options(sender: Sender) -> None:
    options = {"delimiter": ";", "encoding": "windows-1252"}
    first = await sender.send(file("cp1252-with-bad-row"), **options)
    assert counts(first) == (3, 1, 2)
    assert await sender.problems(first) == [(2, "type_error"), (3, "type_error")]

    failed = (await sender.failed_rows(first)).replace("noé@".encode(), b"noe@example.net").replace(b"viel", b"9")
    again = await sender.send(failed, **options)

    assert (again["created"], again["errors"]) == (2, 0)
    assert (await sender.record("noe@example.net"))["_name"] == "Noé"
    assert (await sender.record("odile@example.net"))["_name"] == "Odile Fleß"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "iso-8859-1", "iso-8859-15", "windows-1250"])
async def test_failed_rows_come_back_whatever_the_encoding_of_the_first_file(sender: Sender, encoding: str) -> None:
    text = "_email,_name,_points\nzoe@example.net,Zoë,x\n"
    first = await sender.send(text.encode(encoding), encoding=encoding)
    failed = await sender.failed_rows(first)
    assert failed.startswith(b"\xef\xbb\xbf_email,")
    again = await sender.send(failed.replace(b",x,", b",1,"), encoding=encoding)
    assert (again["created"], again["errors"]) == (1, 0)
    assert (await sender.record("zoe@example.net"))["_name"] == "Zoë"


async def test_failed_rows_can_be_read_by_whoever_heeds_the_mark(sender: Sender) -> None:
    shown = await sender.send("_email,_name,_points\nzoe@example.net,Zoë,x\n".encode())
    text = (await sender.failed_rows(shown)).decode("utf-8-sig")
    assert [row["_name"] for row in csv.DictReader(io.StringIO(text, newline=""))] == ["Zoë"]


@pytest.mark.parametrize("options", [{"format": "jsonl"}, {"format": "jsonl", "delimiter": ";"}, {"delimiter": ";"}])
@pytest.mark.parametrize("delimiter", [",", ";"])
async def test_failed_rows_of_json_lines_come_back_with_the_same_options(
    sender: Sender, options: dict[str, str], delimiter: str
) -> None:
    """They are CSV with commas; a spreadsheet may have saved them with semicolons."""
    row = {"_email": "zoe@example.net", "_name": "Zoë, K", "_points": "x"}
    first = await sender.send(json.dumps(row).encode(), name="people.jsonl", **options)
    assert counts(first) == (1, 0, 1)
    failed = list(csv.reader(io.StringIO((await sender.failed_rows(first)).decode("utf-8-sig"), newline="")))
    failed[1][failed[0].index("_points")] = "7"
    saved = io.StringIO()
    csv.writer(saved, delimiter=delimiter).writerows(failed)

    again = await sender.send(saved.getvalue().encode(), **options)

    assert counts(again) == (1, 1, 0)
    assert (await sender.record("zoe@example.net"))["_name"] == "Zoë, K"


async def test_a_row_that_only_names_such_columns_is_a_row(sender: Sender) -> None:
    shown = await sender.send(b"_email,_name,_surname,_city\na@example.net,_line,_codes,_messages\n")
    assert counts(shown) == (1, 1, 0)


# What a person cannot see


async def test_products_that_look_alike_are_one(sender: Sender) -> None:
    shown = await sender.send(file("joined-with-marks"), type="products")
    assert (*counts(shown), shown["unchanged"]) == (3, 2, 0, 1)
    assert (await sender.record("J-2", "products"))["productId"] == "J-2"
    told = {each["code"]: each for each in shown["warnings"]}
    assert told.keys() == {"duplicate_key", "unseen_characters"}
    assert told["duplicate_key"]["samples"][0]["line"] == 4
    unseen = told["unseen_characters"]
    assert (unseen["subject"], unseen["count"], unseen["samples"][0]["line"]) == ("productId", 1, 3)
    assert "U+FEFF" in unseen["message"]


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\u00a0", "\u202f", "\ufeff", "\u2060", "\u200e", "\u202c"])
@pytest.mark.parametrize("format", ["csv", "jsonl"])
async def test_a_key_and_what_looks_like_it_find_one_record(sender: Sender, unseen: str, format: str) -> None:
    key = f"J{unseen}-1{unseen}" if unseen not in "\u00a0\u202f" else f"{unseen}J-1{unseen}"
    lines = {
        "csv": f"productId,name,unitPrice,productDetailUrl\nJ-1,Cup,1,https://e.example/\n{key},Mug,1,https://e.example/\n",
        "jsonl": "".join(
            f'{{"productId":"{each}","name":"{name}","unitPrice":1,"productDetailUrl":"https://e.example/"}}\n'
            for each, name in (("J-1", "Cup"), (key, "Mug"))
        ),
    }
    shown = await sender.send(lines[format].encode(), f"products.{format}", type="products")
    assert (shown["created"], shown["updated"], shown["errors"]) == (1, 1, 0)
    assert (await sender.record(key, "products"))["productId"] == "J-1"


async def test_values_lose_what_nobody_sees_and_prose_keeps_what_is_meant(sender: Sender) -> None:
    text = (
        "_email\u00a0,\u200b_name,_surname,_points,_birthdate\n"
        "\u00a0ros\u00ada@example.com\u200b,\u00a0 Rosa\u00adlie\u200b, \ufeffLa\ufeff Rue ,"
        "\u00a01\u200b,\u200e1999-01-02\u00a0\n"
        "kai@example.com, Kai ,Sie\u200bben,2,\n"
    )
    shown = await sender.send(text.encode())
    assert counts(shown) == (2, 2, 0)
    assert await sender.record("rosa@example.com") == {
        "_email": "rosa@example.com",
        "_name": "Rosa\u00adlie",
        "_surname": "La Rue ",
        "_points": 1,
        "_birthdate": "1999-01-02",
    }
    kai = await sender.record("kai@example.com")
    assert (kai["_name"], kai["_surname"]) == (" Kai ", "Sie\u200bben")
    told = {each["subject"]: each["count"] for each in shown["warnings"]}
    assert told == {"_email": 1, "_name": 1, "_surname": 1, "_points": 1, "_birthdate": 1}


async def test_text_that_a_spreadsheet_writes_as_a_formula_is_the_text(sender: Sender) -> None:
    shown = await sender.send(file("excel-text-formula"), type="products", delimiter=";")
    assert counts(shown) == (2, 2, 0)
    assert (await sender.record("00123", "products"))["productId"] == "00123"
    assert (await sender.record("00124", "products"))["productId"] == "00124"
    assert warned(shown).keys() == {"text_formula"}


@pytest.mark.parametrize(
    ("cell", "name"),
    [('="0a"', "0a"), ('"=""0a"""', "0a"), ('"=""0 """"a"""', '0 "a'), ('="0a', '="0a'), ("=1+1", "=1+1")],
)
async def test_only_a_whole_formula_for_text_is_read(sender: Sender, cell: str, name: str) -> None:
    await sender.send(f"_email,_name\nrosa@example.com,{cell}\n".encode())
    assert (await sender.record("rosa@example.com"))["_name"] == name


async def test_members_of_nested_objects_are_cleaned_too(sender: Sender) -> None:
    rows = [
        {"productID": f"P-{sign}1", "productName": "P", "variants": [{"sku": f"{sign}s1{sign}"}]}
        for sign in ("", "\u200b")
    ]
    shown = await sender.send("\n".join(map(json.dumps, rows)).encode(), "catalog.jsonl", type="catalog")
    assert (shown["created"], shown["errors"], shown["unchanged"]) == (1, 0, 1)
    told = {each["subject"]: each["count"] for each in shown["warnings"] if each["code"] == "unseen_characters"}
    assert told == {"productID": 1, "variants.0.sku": 1}


# Lines that are no rows, and cells that are too many


async def test_lines_of_nothing_but_delimiters_are_no_rows(sender: Sender) -> None:
    shown = await sender.send(file("rows-of-commas"))
    assert counts(shown) == (2, 2, 0)
    (blank,) = shown["warnings"]
    assert (blank["code"], blank["count"]) == ("blank_rows", 61)
    assert "line 3" in blank["message"]


async def test_a_file_of_nothing_but_such_lines_has_no_rows(sender: Sender) -> None:
    shown = await sender.send(b"_email,_name\n,\n , \n\t\n  ,\n")
    assert (*counts(shown), shown["warnings"][0]["count"]) == (0, 0, 0, 4)


async def test_an_import_of_release_0_1_keeps_the_rows_that_were_counted(sender: Sender) -> None:
    answer = await post(sender.client, sender.account, b"_email,_name\nrosa@example.com,Rosa\n,\n", parts={})
    run = answer.json()["id"]
    async with sender.runtime.database.transaction() as session:
        change = "UPDATE runs SET total = 2, plan = plan #- '{dialect,rules}' WHERE id = :id"
        await session.execute(text(change), {"id": run})
    await sender.finish(sender.runtime, run)
    shown = await sender.get(f"/imports/{run}")
    assert (shown["status"], *counts(shown)) == ("finished", 2, 1, 1)


@pytest.mark.parametrize("end", [b"", b"\x1a", b"\r\n", b"\x1a\r\n\x1a"])
async def test_a_control_z_at_the_end_is_no_row(sender: Sender, end: bytes) -> None:
    assert counts(await sender.send(file("ctrl-z") + end)) == (2, 2, 0)


async def test_a_control_z_ends_json_lines_too(sender: Sender) -> None:
    shown = await sender.send(b'{"_email": "fox@example.net"}\n\x1a', "contacts.jsonl")
    assert counts(shown) == (1, 1, 0)


async def test_an_empty_last_cell_in_each_row_is_left_out(sender: Sender) -> None:
    assert counts(await sender.send(file("trailing-in-rows"))) == (2, 2, 0)
    assert (await sender.record("lea@example.com")) == {"_email": "lea@example.com", "_name": "Lea", "_points": 2}


async def test_an_empty_last_cell_in_one_row_fails_it_with_a_reason(sender: Sender) -> None:
    shown = await sender.send(b"_email,_name,_points\nkai@example.com,Kai,1,\nlea@example.com,Lea,2\n")
    assert counts(shown) == (2, 1, 1)
    assert shown["errorSummary"][0]["message"] == "The row has 4 cells, but the header has 3. The last one is empty"


async def test_failed_rows_with_an_empty_last_cell_come_back(sender: Sender) -> None:
    first = await sender.send(b"_email,_name,_points\nkai@example.com,Kai,x,\nlea@example.com,Lea,2,\n")
    assert counts(first) == (2, 1, 1)
    again = await sender.send((await sender.failed_rows(first)).replace(b",x,", b",1,"))
    assert counts(again) == (1, 1, 0)


# Quotes


async def test_a_blank_before_a_quote_is_not_a_part_of_the_cell(sender: Sender) -> None:
    shown = await sender.send(file("blank-before-quote"))
    assert (*counts(shown), await sender.problems(shown)) == (3, 2, 1, [(4, "quote_error")])
    assert await sender.record("xena@example.com") == {
        "_email": "xena@example.com",
        "_name": "Xena",
        "_surname": "Strong",
    }
    assert (await sender.record("yuri@example.com"))["_surname"] == "Long, Jr."


async def test_quotes_behind_backslashes_fail_their_rows_and_no_other(sender: Sender) -> None:
    shown = await sender.send(file("backslash-quotes"))
    assert counts(shown) == (5, 3, 2)
    assert await sender.problems(shown) == [(2, "quote_error"), (5, "quote_error")]
    assert (await sender.record("cal@example.com"))["_surname"] == "West"


async def test_an_inch_is_text(sender: Sender) -> None:
    assert counts(await sender.send(file("inch-mark"), type="products")) == (2, 2, 0)
    names = [(await sender.record(key, "products"))["name"] for key in ("T-1", "T-2")]
    assert names == ['Tube 5" steel', 'Tube 6" steel']


async def test_a_lost_delimiter_before_a_quoted_cell_shifts_nothing(sender: Sender) -> None:
    shown = await sender.send(b'_email,_name,_surname\nyuri@example.com "Yuri, Jr.",Long\nzoe@example.com,Zoe,Kind\n')
    assert (*counts(shown), await sender.problems(shown)) == (2, 1, 1, [(2, "quote_error")])
    assert "delimiter" in shown["errorSummary"][0]["message"]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
async def test_items_of_a_list_are_cleaned_one_by_one(sender: Sender, format: str) -> None:
    fields = [{"id": "sku", "type": "text"}, {"id": "tags", "type": "list"}, {"id": "sizes", "type": "list"}]
    fields[2]["options"] = ["S", "M"]  # type: ignore[assignment]
    answer = await sender.client.put(
        "/types/things", headers=sender.account.headers, json={"key": "sku", "fields": fields}
    )
    assert answer.status_code == 201, answer.text
    items = {"tags": ["red\u200b", "\ufeffblue", "a\u00a0b", "plain"], "sizes": ["S\u00ad", "\u200bM"]}
    data = json.dumps({"sku": "1", **items}) if format == "jsonl" else f"sku,tags,sizes\n1,{'|'.join(items['tags'])},"
    data += "" if format == "jsonl" else "|".join(items["sizes"])

    shown = await sender.send(f"{data}\n".encode(), type="things", format=format)

    assert counts(shown) == (1, 1, 0), await sender.problems(shown)
    stored = await sender.record("1", "things")
    assert (stored["tags"], stored["sizes"]) == (["red", "blue", "a\u00a0b", "plain"], ["S", "M"])
    assert "U+200B" in warned(shown)["unseen_characters"]
