"""Types whose key is generated: each row by itself updates the record that it names, or makes a new one."""

import json
from typing import Any

import pytest

from app.declarations.types import declare_type
from app.errors import Refused
from app.imports.row_files.download import FAILED_ROWS, open_rows
from app.resources.stored_keys import generate_id
from tests.engine.conftest import ImportEngine, law

TICKETS: dict[str, Any] = {
    "key": "number",
    "generateKey": True,
    "fields": [
        {"id": "number", "type": "text"},
        {"id": "title", "type": "text", "required": True},
        {"id": "hours", "type": "integer", "min": 0},
    ],
}


@pytest.fixture
async def tickets(engine: ImportEngine) -> ImportEngine:
    await declare(engine, TICKETS)
    return engine


async def declare(engine: ImportEngine, body: dict[str, Any]) -> None:
    async with engine.runtime.database.transaction() as session:
        await declare_type(session, engine.account_id, "tickets", body)


async def stored(engine: ImportEngine) -> dict[str, dict[str, Any]]:
    """The records by their titles."""
    rows = await engine.sql(
        "SELECT key, data::text AS data FROM records WHERE account_id = :id AND type = 'tickets'", id=engine.account_id
    )
    found = {row["key"]: json.loads(row["data"]) for row in rows}
    assert all(record["number"] == key for key, record in found.items())
    return {record["title"]: record for record in found.values()}


async def test_each_row_makes_a_record_or_updates_the_one_that_it_names(tickets: ImportEngine) -> None:
    first = await tickets.run("title,hours\nRoof,1\nDoor,2\n", "tickets")
    roof = (await stored(tickets))["Roof"]["number"]
    second = await tickets.run(f"number,title,hours\n {roof} ,Roof,9\n,Gate,3\n  ,Roof 2,4\nnowhere,Bad,5\n", "tickets")

    assert (first.created, first.failed) == (2, 0)
    assert (second.created, second.updated, second.failed) == (2, 1, 1)
    [problem] = second.error_summary
    assert (problem["code"], problem["field"], problem["samples"][0]["row"]) == ("unknown_key", "number", 4)
    assert problem["column"] == "number"
    found = await stored(tickets)
    assert found.keys() == {"Roof", "Door", "Gate", "Roof 2"}
    assert found["Roof"] == {"number": roof, "title": "Roof", "hours": 9}
    law(second)


async def test_an_exported_file_changes_nothing(tickets: ImportEngine) -> None:
    await tickets.run("title,hours\nRoof,1\nDoor,2\n", "tickets")
    lines = [f"{each['number']},{each['title']},{each['hours']}\n" for each in (await stored(tickets)).values()]
    again = await tickets.run("number,title,hours\n" + "".join(lines), "tickets")
    assert (again.unchanged, again.created) == (2, 0)


async def test_a_file_of_new_rows_sent_again_makes_them_again(tickets: ImportEngine) -> None:
    for _ in range(2):
        run = await tickets.run("title\nRoof\nRoof\n", "tickets")
        assert run.created == 2
    assert len(await tickets.keys("tickets")) == 4


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ({}, (1, 1, 0)),
        ({"only_empty": True}, (1, 1, 0)),  # the hours were empty
        ({"override_existing": False}, (1, 0, 1)),
    ],
)
async def test_the_mode_of_the_import_holds_for_records_that_rows_name(
    tickets: ImportEngine, options: dict[str, Any], counts: tuple[int, int, int]
) -> None:
    await tickets.run("title\nRoof\n", "tickets")
    number = (await stored(tickets))["Roof"]["number"]
    run = await tickets.run(f"number,title,hours\n{number},Changed,1\n,New,2\n", "tickets", **options)

    assert (run.created, run.updated, run.skipped) == counts
    assert (await stored(tickets)).keys() == {"Changed" if options == {} else "Roof", "New"}


@pytest.mark.parametrize(("duplicates", "hours"), [("last", 2), ("first", 1), ("error", 1)])
async def test_rows_that_name_one_record_are_applied_in_the_files_order(
    tickets: ImportEngine, duplicates: str, hours: int
) -> None:
    await tickets.run("title\nRoof\n", "tickets")
    number = (await stored(tickets))["Roof"]["number"]
    rows = f"number,title,hours\n{number},,1\n,Roof 2,\n{number},,2\n"
    run = await tickets.run(rows, "tickets", duplicates=duplicates)

    assert (run.created, (await stored(tickets))["Roof"]["hours"]) == (1, hours)
    assert run.failed == (duplicates == "error")


async def test_an_update_needs_no_required_column_and_a_new_record_does(tickets: ImportEngine) -> None:
    await tickets.run("title\nRoof\n", "tickets")
    number = (await stored(tickets))["Roof"]["number"]
    run = await tickets.run(f"number,hours\n{number},7\n,8\n", "tickets")

    assert (run.updated, run.failed) == (1, 1)
    assert [(each["code"], each["field"]) for each in run.error_summary] == [("required", "title")]
    with pytest.raises(Refused, match="Column `title` is required"):
        await tickets.submit("hours\n1\n", "tickets")
    told = "No column of the file is a field of `tickets`. It may have `number`, `title`, `hours`. The header has"
    with pytest.raises(Refused, match=told):
        await tickets.submit("foo\n1\n", "tickets")


async def test_a_row_that_fills_nothing_makes_no_record(tickets: ImportEngine) -> None:
    await declare(tickets, TICKETS | {"fields": [{"id": "number", "type": "text"}, {"id": "hours", "type": "integer"}]})
    cells = await tickets.run("number,hours,other\n,,x\n,1,\n, ,y\n", "tickets", unknown_columns="ignore")
    lines = await tickets.run('{}\n{"number": null}\n{"other": 1}\n', "tickets", format="jsonl")
    kept = await tickets.run('{"other": 1}\n{"other": 2}\n', "tickets", format="jsonl", unknown_columns="keep")

    assert (cells.created, cells.failed, cells.error_summary[0]["code"]) == (1, 2, "empty_row")
    assert (lines.created, lines.failed, lines.error_summary[0]["code"]) == (0, 3, "empty_row")
    assert (kept.created, kept.failed) == (2, 0)


async def test_objects_name_records_as_cells_do(tickets: ImportEngine) -> None:
    await tickets.run('{"title": "Roof"}\n{"number": null, "title": "Door"}\n', "tickets", format="jsonl")
    number = (await stored(tickets))["Roof"]["number"]
    rows = [
        {"number": number, "hours": 5},
        {"number": "", "title": "Gate"},
        {"number": 5, "title": "Bad"},
        {"hours": 1},
    ]
    run = await tickets.run("\n".join(map(json.dumps, rows)), "tickets", format="jsonl")

    assert (run.updated, run.created, run.failed) == (1, 1, 2)
    assert {each["code"] for each in run.error_summary} == {"type_error", "required"}


async def test_a_corrected_file_of_failed_rows_makes_its_records_once(tickets: ImportEngine) -> None:
    run = await tickets.run("title,hours\nRoof,x\nDoor,1\n,3\n", "tickets")
    pieces = [piece async for piece in await open_rows(tickets.runtime, run, FAILED_ROWS)]
    corrected = b"".join(pieces).decode().replace(",x,", ",5,").replace("\n,3,", "\nGate,3,")
    again = await tickets.run(corrected, "tickets")

    assert (run.created, again.created, again.failed) == (1, 2, 0)
    assert (await stored(tickets)).keys() == {"Roof", "Door", "Gate"}


async def test_a_new_record_keeps_to_the_rows_of_its_own_run(tickets: ImportEngine) -> None:
    """A batch that is written again makes the same keys, and another account none of them."""
    small = tickets.with_settings(batch_rows=3)
    run = await small.run("title\n" + "".join(f"t{n}\n" for n in range(10)), "tickets")
    numbers = {each["number"] for each in (await stored(tickets)).values()}

    assert run.batches == 4
    assert numbers == {generate_id("", f"{run.id}:{row}") for row in range(1, 11)}


async def test_a_type_may_begin_and_cease_to_generate_its_key(tickets: ImportEngine) -> None:
    """Whatever is stored has its key among its data, so neither change contradicts it."""
    await tickets.run("title\nRoof\n", "tickets")
    made = (await stored(tickets))["Roof"]["number"]
    await declare(tickets, TICKETS | {"generateKey": False})
    with pytest.raises(Refused, match="Column `number` is required"):
        await tickets.submit("title\nDoor\n", "tickets")
    given = await tickets.run(f"number,title\nT-1,Door\n{made},Roof\n,Gate\n", "tickets")
    await declare(tickets, TICKETS)
    mixed = await tickets.run("number,title\nT-1,Door\nT-2,Bad\n,Gate\n", "tickets")

    assert (given.created, given.unchanged, given.failed) == (1, 1, 1)
    assert (mixed.unchanged, mixed.created, mixed.failed) == (1, 1, 1)
