"""Hints: what an import, a refusal and a mail say about the probable cause, and the fix that a program can do."""

from typing import Any

import httpx

from app.deliveries.mail import list_hints
from app.runs.status import find_run
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post

TYPE = {
    "key": "sku",
    "fields": [
        {"id": "sku", "type": "text"},
        {"id": "price", "type": "decimal"},
        {"id": "weight", "type": "decimal"},
        {"id": "status", "type": "enum", "options": ["in stock", "sold out"]},
        {"id": "title", "type": "text"},
    ],
    "unknownColumns": "ignore",
}
FILE = b"sku;price;weight;status;titel\nA;12,50;1,5;In stock;One\nB;9,99;2,25;in stock;Two\nC;3;x;gone;Three\n"
PARTS = {"type": "wares", "delimiter": ";"}


async def declare(client: httpx.AsyncClient, account: Account) -> None:
    answer = await client.put("/types/wares", headers=account.headers, json=TYPE)
    assert answer.status_code in (200, 201), answer.text


async def test_groups_and_warnings_have_hints_and_fixes(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await declare(client, an_account)
    run_id = (await post(client, an_account, FILE, name="wares.csv", parts=PARTS)).json()["id"]
    await finish(runtime, run_id)

    told = (await client.get(f"/imports/{run_id}", headers=an_account.headers)).json()

    groups = {(each["column"], each["message"][-20:]): each for each in told["errorSummary"]}
    price = next(each for (column, _), each in groups.items() if column == "price")
    assert price["hint"] == "Numbers in `price` and `weight` have a decimal comma. Read them with `decimalComma`"
    corrections = [{"column": name, "decimalComma": True} for name in ("price", "weight")]
    assert price["fix"] == {"action": "correct", "corrections": corrections}
    assert "seen" not in price
    status = next(each for (column, _), each in groups.items() if column == "status")
    assert status["hint"] == 'In `status` use `in stock` for "In stock"'
    (warning,) = told["warnings"]
    assert warning["hint"] == "Did you mean `title`?"
    assert warning["fix"] == {"action": "importAgain", "columns": [{"column": "titel", "field": "title"}]}
    async with runtime.database.read() as session:
        run = await find_run(session, an_account.id, run_id, retention_days=30)
    assert list(list_hints(run)) == [f"Hint: {price['hint']}"]  # a mail repeats no cell


async def test_a_header_that_is_refused_has_fixes(client: httpx.AsyncClient, an_account: Account) -> None:
    await declare(client, an_account)

    async def refuse(file: bytes, **parts: str) -> list[dict[str, Any]]:
        answer = await post(client, an_account, file, name="wares.csv", parts=PARTS | parts)
        assert answer.status_code == 422, answer.text
        return [each for each in answer.json()["errors"] if "fix" in each]

    (delimiter,) = await refuse(FILE, delimiter=",")
    assert delimiter["reason"].startswith("`;` would give 5 columns. The file looks separated by semicolons")
    assert delimiter["fix"] == {"action": "importAgain", "options": {"delimiter": "semicolon"}}
    (heading,) = await refuse(b"S.K.U.;price\nA;1\n")
    assert heading["reason"] == "Column `sku` is required. Did you mean `sku` instead of `S.K.U.`?"
    assert heading["fix"] == {"action": "importAgain", "columns": [{"column": "S.K.U.", "field": "sku"}]}
    (encoding,) = await refuse("Stückzahl;price\nA;1\n".encode("windows-1252"))
    assert encoding["fix"] == {"action": "importAgain", "options": {"encoding": "windows-1252"}}
