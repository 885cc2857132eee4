"""Every hint of the table has a file that shows it, and what its `fix` says makes the rows go in as they were meant."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from app.mappings.hints.table import HINTS
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post

TYPE: Final = {
    "key": "sku",
    "fields": [
        {"id": "sku", "type": "text"},
        {"id": "price", "type": "decimal"},
        {"id": "stock", "type": "integer"},
        {"id": "born", "type": "date"},
        {"id": "seen", "type": "datetime"},
        {"id": "active", "type": "boolean"},
        {"id": "status", "type": "enum", "options": ["in stock", "sold out"]},
        {"id": "title", "type": "text"},
    ],
}


@dataclass(frozen=True, slots=True)
class Case:
    """A file with two columns, `sku` and another. `meant` are the values of this one in the end, by the key; `columns`
    is what the mapping says of it at first."""

    column: str
    cells: tuple[str, ...]
    meant: tuple[Any, ...]
    said: dict[str, Any] = field(default_factory=dict)
    encoding: str = "utf-8"

    @property
    def file(self) -> bytes:
        lines = [f"sku;{self.column}", *(f"k{number};{cell}" for number, cell in enumerate(self.cells))]
        return "".join(f"{line}\n" for line in lines).encode(self.encoding)


CASES: dict[str, list[Case]] = {
    "thousands": [Case("price", ("1.234", "1.234,50", "9,99"), (1234, 1234.5, 9.99))],
    "decimalComma": [
        Case("price", ("1,5", "2", "3,25"), (1.5, 2, 3.25)),
        Case("stock", ("12,0", "7"), (12, 7)),
    ],
    "decimalPoint": [
        Case("price", ("12.5", "1.234", "3"), (12.5, 1.234, 3), {"decimalComma": True}),
        Case("stock", ("12.0", "7"), (12, 7), {"decimalComma": True}),
    ],
    "swapped": [
        Case("born", ("2026-31-12", "2026-04-03"), ("2026-12-31", "2026-03-04")),
        Case("born", ("12/31/2026", "03/04/2026"), ("2026-12-31", "2026-03-04"), {"dateFormat": "DD/MM/YYYY"}),
    ],
    "dateFormat": [
        Case("born", ("31.12.2026", "2026-03-04"), ("2026-12-31", "2026-03-04")),
        Case("seen", ("1/31/2026 10:15", "2/13/2026 9:00"), ("2026-01-31T10:15:00Z", "2026-02-13T09:00:00Z")),
        Case("born", ("2026-12-31", "04.03.2026"), ("2026-12-31", "2026-03-04"), {"dateFormat": "DD.MM.YYYY"}),
    ],
    "words": [Case("active", ("Ja", "nein", "true"), (True, False, True))],
    "option": [
        Case("status", ("In Stock", "in-stock", "sold outt", "sold out"), ("in stock", "in stock", *["sold out"] * 2))
    ],
    "encoding": [Case("title", ("Größe", "plain"), ("Größe", "plain"), encoding="windows-1252")],
    "delimiter": [],  # below: no fix but the hand of a person
}


async def test_the_fix_of_every_hint_does_what_it_says(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    async def ended(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 201, answer.text
        await finish(runtime, answer.json()["id"])
        return dict((await client.get(f"/imports/{answer.json()['id']}", headers=an_account.headers)).json())

    async def send(type: str, file: bytes, columns: list[dict[str, Any]], **parts: str) -> dict[str, Any]:
        # A mapping names every column that it reads.
        mapping = {"mapping": json.dumps({"columns": [{"column": "sku", "field": "sku"}, *columns]})} if columns else {}
        given = {"type": type, "delimiter": "semicolon"} | mapping | parts
        return await ended(await post(client, an_account, file, name="w.csv", parts=given))

    async def follow(run: dict[str, Any], fix: dict[str, Any], file: bytes) -> dict[str, Any]:
        if fix["action"] == "importAgain":
            return await send(run["type"], file, fix.get("columns", []), **fix.get("options", {}))
        body = {"corrections": fix["corrections"]}
        return await ended(
            await client.post(f"/imports/{run['id']}/corrections", headers=an_account.headers, json=body)
        )

    assert CASES.keys() == HINTS.keys()
    for name, cases in CASES.items():
        for number, case in enumerate(cases):
            wares = f"{name.lower()}{number}"
            await client.put(f"/types/{wares}", headers=an_account.headers, json=TYPE)
            said = [{"column": case.column, "field": case.column} | case.said] if case.said else []
            first = await send(wares, case.file, said)
            (group,) = (each for each in first["errorSummary"] if "fix" in each)
            assert group["hint"].startswith(HINTS[name].sentence.partition("{")[0]), group
            fixed = await follow(first, group["fix"], case.file)
            assert (fixed["status"], fixed["errors"]) == ("finished", 0), fixed["errorSummary"]
            found = await client.get(f"/records/{wares}", headers=an_account.headers)
            stored = {each["key"]: each["data"][case.column] for each in found.json()["results"]}
            assert stored == {f"k{at}": value for at, value in enumerate(case.meant)}, (name, group["fix"])


async def test_rows_with_another_delimiter_go_in_as_their_hint_says(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await client.put("/types/wares", headers=an_account.headers, json=TYPE)
    file = b"sku;price;title\nA;1;one\nB,2,two\n"
    outcomes = []
    for sent in (file, file.replace(b"B,2,two", b"B;2;two")):
        run_id = (await post(client, an_account, sent, name="w.csv", parts={"type": "wares", "delimiter": ";"})).json()[
            "id"
        ]
        await finish(runtime, run_id)
        outcomes.append((await client.get(f"/imports/{run_id}", headers=an_account.headers)).json())
    (group,) = outcomes[0]["errorSummary"]
    assert group["hint"].startswith("`,` would give 3 columns"), group
    assert "fix" not in group
    assert outcomes[1]["errors"] == 0
