"""The bad values of an import by column and code, and imports of the rows concerned with corrections."""

import json
from typing import Any

import httpx

from app.imports.corrections.values import count_values
from app.runs.status import find_run
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post, stored_files

TYPE = {
    "key": "sku",
    "fields": [
        {"id": "sku", "type": "text"},
        {"id": "price", "type": "decimal", "required": True},
        {"id": "stock", "type": "integer"},
    ],
}
FILE = b"sku;price;stock\nA;12,50;n/a\nB;9,99;n/a\nC;;7\nD;9,99;8\nE;1;n/a\nF;2\nG;3;4\n"
PARTS = {"type": "wares", "delimiter": ";"}


async def fail(client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish) -> str:
    """An import of seven rows, of which one is good."""
    answer = await client.put("/types/wares", headers=account.headers, json=TYPE)
    assert answer.status_code in (200, 201), answer.text
    run_id = str((await post(client, account, FILE, name="wares.csv", parts=PARTS)).json()["id"])
    await finish(runtime, run_id)
    return run_id


async def get_values(client: httpx.AsyncClient, account: Account, address: str) -> dict[str, Any]:
    answer = await client.get(address, headers=account.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_bad_values_are_counted_page_by_page(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run_id = await fail(client, an_account, runtime, finish)
    address: str | None = f"/imports/{run_id}/failed-values?limit=3"

    found, pages = [], 0
    while address:
        page = await get_values(client, an_account, address)
        found += page["results"]
        address, pages = page["links"].get("next"), pages + 1

    assert pages == 2
    assert [(each["column"], each["code"], each["value"], each["count"]) for each in found] == [
        ("stock", "type_error", "n/a", 3),
        ("price", "type_error", "9,99", 2),
        ("price", "required", "", 1),
        ("price", "type_error", "12,50", 1),
    ]
    assert (page["others"], page["atMost"]) == (0, 0)
    only = await get_values(client, an_account, f"/imports/{run_id}/failed-values?column=price&code=required")
    assert [each["value"] for each in only["results"]] == [""]
    wrong = await client.get(f"/imports/{run_id}/failed-values?cursor=abc", headers=an_account.headers)
    assert wrong.status_code == 422


async def test_more_values_than_are_counted_at_once_are_told_as_others(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run_id = await fail(client, an_account, runtime, finish)
    async with runtime.database.read() as session:
        run = await find_run(session, an_account.id, run_id, retention_days=30)

    found = await count_values(runtime, run, most=2)

    assert [(each.value, each.count) for each in found.values] == [("n/a", 3)]
    assert found.others == 4
    assert found.at_most == 2


async def correct(client: httpx.AsyncClient, account: Account, run_id: str, *corrections: dict[str, Any]) -> Any:
    body = {"corrections": corrections}
    return await client.post(f"/imports/{run_id}/corrections", headers=account.headers, json=body)


async def get_wares(client: httpx.AsyncClient, account: Account) -> dict[str, tuple[Any, Any]]:
    answer = await client.get("/records/wares", headers=account.headers)
    found = [each["data"] for each in answer.json()["results"]]
    return {each["sku"]: (each.get("price"), each.get("stock")) for each in found}


async def test_the_rows_concerned_are_imported_alone_with_the_corrections(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run_id = await fail(client, an_account, runtime, finish)

    answer = await correct(
        client,
        an_account,
        run_id,
        {"column": "price", "decimalComma": True},
        {"column": "price", "from": "", "to": "7.50"},
        {"column": "stock", "from": "n/a", "to": "0"},
    )
    assert answer.status_code == 201, answer.text
    child = answer.json()
    await finish(runtime, child["id"])

    told = (await client.get(f"/imports/{child['id']}", headers=an_account.headers)).json()
    assert (told["parentId"], told["relation"], told["fileName"]) == (run_id, "correction", "wares.csv")
    assert (told["total"], told["created"], told["errors"]) == (5, 5, 0)
    assert await get_wares(client, an_account) == {
        "A": (12.5, 0),
        "B": (9.99, 0),
        "C": (7.5, 7),
        "D": (9.99, 8),
        "E": (1, 0),
        "G": (3, 4),
    }


async def test_only_rows_with_that_value_code_or_number_are_concerned(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:

    async def count(*corrections: dict[str, Any]) -> tuple[int, int]:
        """The rows of the new import, and how many of them fail."""
        run_id = await fail(client, an_account, runtime, finish)
        child = (await correct(client, an_account, run_id, *corrections)).json()["id"]
        await finish(runtime, child)
        told = (await client.get(f"/imports/{child}", headers=an_account.headers)).json()
        return told["total"], told["errors"]

    assert await count({"column": "price", "from": "9,99", "to": "9.99"}) == (2, 1)
    assert await count({"column": "price", "code": "required", "default": "1"}) == (1, 0)
    assert await count({"column": "stock", "row": 1, "to": "5"}, {"column": "price", "row": 1, "to": "12.5"}) == (1, 0)
    assert await count({"column": "stock", "ignore": True}) == (3, 2)


async def test_a_date_that_the_mapping_reads_in_another_way_is_read_as_the_correction_says(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    fields = [{"id": "code", "type": "text"}, {"id": "day", "type": "date"}, {"id": "tags", "type": "list"}]
    await client.put("/types/days", headers=an_account.headers, json={"key": "code", "fields": fields})
    day = {"column": "Day", "field": "day", "dateFormat": "DD.MM.YYYY", "values": {"none": ""}}
    tags = {"column": "Tags", "field": "tags", "separator": "+"}
    mapping = {"columns": [{"column": "Id", "field": "code"}, day, tags]}
    file = b"Id,Day,Tags\n1,31.12.2026,a\n2,2026-12-30,b+c\n3,2026-12-29,\n"
    parts = {"type": "days", "mapping": json.dumps(mapping)}
    posted = await post(client, an_account, file, name="days.csv", parts=parts)
    assert posted.status_code == 201, posted.text
    parent = posted.json()["id"]
    await finish(runtime, parent)

    child = (await correct(client, an_account, parent, {"column": "Day", "dateFormat": "YYYY-MM-DD"})).json()["id"]
    await finish(runtime, child)

    found = (await client.get("/records/days", headers=an_account.headers)).json()["results"]
    assert {each["key"]: (each["data"]["day"], each["data"].get("tags")) for each in found} == {
        "1": ("2026-12-31", ["a"]),
        "2": ("2026-12-30", ["b", "c"]),
        "3": ("2026-12-29", None),
    }


async def test_members_of_json_lines_are_corrected(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    await client.put("/types/wares", headers=an_account.headers, json=TYPE)
    file = b'{"sku":"A","price":"1,5","more":{"x":[1.10]}}\n{"sku":"B","price":true}\n{"sku":"C"}\n'
    parent = (await post(client, an_account, file, name="wares.jsonl", parts={"type": "wares"})).json()["id"]
    await finish(runtime, parent)

    corrections = [{"column": "price", "decimalComma": True}, {"column": "price", "from": "", "to": "3"}]
    child = (await correct(client, an_account, parent, *corrections)).json()["id"]
    await finish(runtime, child)

    told = (await client.get(f"/imports/{child}", headers=an_account.headers)).json()
    assert (told["total"], told["created"], told["errors"]) == (3, 2, 1)
    assert await get_wares(client, an_account) == {"A": (1.5, None), "C": (3, None)}


async def test_cells_beside_the_corrected_ones_stay_as_they_were_sent(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    names = [{"id": name, "type": "text"} for name in ("code", "remark")]
    fields = [*names, {"id": "state", "type": "enum", "options": ['a;"b" c', "new"]}]
    made = await client.put("/types/odd", headers=an_account.headers, json={"key": "code", "fields": fields})
    assert made.status_code == 201, made.text
    file = 'code;state;remark;\r\n1;x;" ;""é""\nn";\r\n2;y; z\t;\r\n'.encode()  # rows end with a delimiter
    parent = (await post(client, an_account, file, name="odd.csv", parts={"type": "odd", "delimiter": ";"})).json()
    await finish(runtime, parent["id"])

    corrections = [{"column": "state", "from": "x", "to": 'a;"b" c'}, {"column": "state", "from": "y", "to": "new"}]
    child = (await correct(client, an_account, parent["id"], *corrections)).json()["id"]
    await finish(runtime, child)

    found = (await client.get("/records/odd", headers=an_account.headers)).json()["results"]
    assert [(each["data"]["state"], each["data"]["remark"]) for each in found] == [
        ('a;"b" c', ' ;"é"\nn'),
        ("new", " z\t"),
    ]


async def test_what_cannot_be_corrected_is_refused_with_every_mistake(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run_id = await fail(client, an_account, runtime, finish)
    stored = stored_files(runtime)

    async def refuse(*corrections: dict[str, Any]) -> list[tuple[str, str]]:
        answer = await correct(client, an_account, run_id, *corrections)
        assert answer.status_code == 422, answer.text
        return [(each["path"], each["reason"]) for each in answer.json()["errors"]]

    assert await refuse(
        {"column": "prices", "from": "a", "to": "b"}, {"column": "stock", "dateFormat": "DD.MM.YYYY"}
    ) == [
        ("corrections[0].column", "No column `prices` of the file fills a field. Did you mean `price`?"),
        (
            "corrections[1].dateFormat",
            "`dateFormat` of column `stock` is not allowed for `stock`, a field of type integer",
        ),
    ]
    paths = [path for path, _ in await refuse({"column": "price"}, {"from": "a", "row": 0}, {"column": "x", "odd": 1})]
    assert paths[0] == "corrections[0]"
    assert {"corrections[1].column", "corrections[1].row", "corrections[2].odd"} <= set(paths)
    ((_, reason),) = await refuse({"column": "price", "from": "nowhere", "to": "1"})
    assert reason.startswith("No failed row has what is to be corrected")
    assert stored_files(runtime) == stored
    open_run = (await post(client, an_account, FILE, name="wares.csv", parts=PARTS)).json()["id"]
    waiting = await correct(client, an_account, open_run, {"column": "price", "ignore": True})
    assert (waiting.status_code, waiting.json()["code"]) == (409, "import_not_ended")
