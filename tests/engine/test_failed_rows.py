"""The file of failed rows says what was sent, so that it can be corrected and sent back as it is."""

import csv
import io
from collections.abc import Sequence

import pytest

from app.errors import Refused
from app.imports.row_files.download import FAILED_ROWS, open_rows
from app.runs.model import Run
from app.storage import records, types
from tests.engine.conftest import ImportEngine

FIELDS: list[dict[str, object]] = [
    {"id": "sku", "type": "text"},
    {"id": "number", "type": "integer", "max": 5},
    {"id": "truth", "type": "boolean"},
    {"id": "price", "type": "decimal"},
    {"id": "words", "type": "list"},
    {"id": "more", "type": "list", "separator": ";"},
    {"id": "thing", "type": "object"},
]
HEADER = "_email,_name,_surname\n"


async def declare(engine: ImportEngine, fields: Sequence[dict[str, object]] = FIELDS) -> None:
    async with engine.runtime.database.transaction() as session:
        await types.put(session, engine.account_id, "things", {"key": "sku", "fields": list(fields)})


async def file_of(engine: ImportEngine, run: Run) -> str:
    return b"".join([part async for part in await open_rows(engine.runtime, run, FAILED_ROWS)]).decode("utf-8-sig")


async def failed_rows(engine: ImportEngine, run: Run) -> list[dict[str, str]]:
    """The rows by the columns' headings."""
    csv.field_size_limit(2_000_000)
    return list(csv.DictReader(io.StringIO(await file_of(engine, run), newline="")))


async def stored(engine: ImportEngine) -> dict[str, str]:
    async with engine.runtime.database.snapshot() as session:
        rows = (await records.page(session, engine.account_id, "things", after=None, limit=100)).rows
    return {row["key"]: row["data"] for row in rows}


@pytest.mark.parametrize(
    ("member", "cell"),
    [
        ('"words": ["a", "b;c"]', "a|b;c"),
        ('"more": ["a", "b|c"]', "a;b|c"),
        ('"words": ["a|b", "ü"]', '["a|b","ü"]'),
        ('"words": [1, "b"]', '[1,"b"]'),
        ('"words": []', ""),
        ('"words": null', ""),
        ('"words": "a|b"', "a|b"),
        ('"words": {"a": "\\""}', r'{"a":"\""}'),
        ('"thing": ["a", "b"]', '["a","b"]'),
        ('"thing": {"a": [1.50, true, null, {}, []]}', '{"a":[1.50,true,null,{},[]]}'),
        ('"thing": {"a": 0.0000001, "b": 1e999999}', '{"a":0.0000001,"b":1E+999999}'),
        ('"truth": false', "false"),
        ('"price": 1.10000000000000000001', "1.10000000000000000001"),
    ],
)
async def test_a_json_value_becomes_a_cell_with_the_same_meaning(engine: ImportEngine, member: str, cell: str) -> None:
    await declare(engine)
    run = await engine.run(f'{{"sku": "a", "number": 9, {member}}}\n', "things", format="jsonl")
    (row,) = await failed_rows(engine, run)
    assert row[member.partition('"')[2].partition('"')[0]] == cell


async def test_corrected_rows_of_json_lines_are_stored_as_they_were_meant(engine: ImportEngine) -> None:
    await declare(engine)
    members = '"truth": true, "price": 1.50, "words": ["a", "b"], "more": ["c", "d"], "thing": {"k": [1.50, null]}'
    run = await engine.run(f'{{"sku": "a", "number": 9, {members}}}\n', "things", format="jsonl")
    await engine.run((await file_of(engine, run)).replace("a,9,", "a,4,"), "things")
    sent_back = await stored(engine)
    await engine.sql("DELETE FROM records WHERE account_id = :a", a=engine.account_id)
    await engine.run(f'{{"sku": "a", "number": 4, {members}}}\n', "things", format="jsonl")
    assert sent_back == await stored(engine)
    assert '"price": 1.50' in sent_back["a"]


async def test_the_type_is_the_one_that_the_import_was_accepted_with(engine: ImportEngine) -> None:
    await declare(engine)
    run = await engine.run('{"sku": "a", "number": 9, "more": ["x", "y"]}\n', "things", format="jsonl")
    await declare(engine, [{"id": "sku", "type": "text"}])
    (row,) = await failed_rows(engine, run)
    assert row["more"] == "x;y"


async def test_an_unreadable_row_has_no_cells_only_its_text(engine: ImportEngine) -> None:
    sent = ["long@example.org,Smith, John,Doe", "short@example.org,Ann", "bytes@example.org,Zo\\xeb,x", '"open,quote']
    data = (HEADER + "\n".join(sent)).encode().replace(rb"\xeb", b"\xeb")
    run = await engine.run(data)
    found = await failed_rows(engine, run)
    assert [row["_codes"] for row in found] == ["extra_cell", "missing_cell", "encoding_error", "quote_error"]
    for row, raw in zip(found, sent, strict=True):
        assert (row["_email"], row["_name"], row["_surname"]) == ("", "", "")
        assert row["_messages"].endswith(f". The row as sent: {raw}")


async def test_an_unreadable_row_that_is_sent_back_as_it_is_stores_nothing(engine: ImportEngine) -> None:
    run = await engine.run(HEADER + "long@example.org,Smith, John,Doe\nshort@example.org,Ann\n")
    again = await engine.run(await file_of(engine, run))
    assert (again.failed, again.total, await engine.keys()) == (2, 2, [])


@pytest.mark.parametrize("format", ["csv", "jsonl"])
async def test_a_long_unreadable_row_is_written_whole(engine: ImportEngine, format: str) -> None:
    raw = '{"_email": "' + "x" * 1_000_000
    run = await engine.run(f"{HEADER if format == 'csv' else ''}{raw}\n", format=format)
    (row,) = await failed_rows(engine, run)
    assert row["_messages"].endswith(f"The row as sent: {raw}")


async def test_of_a_row_beyond_the_size_limit_the_beginning_is_written(engine: ImportEngine) -> None:
    run = await engine.run(HEADER + "x" * 1_100_000 + "\n")
    (row,) = await failed_rows(engine, run)
    assert (row["_codes"], row["_messages"].partition("sent: ")[2]) == ("record_too_long", "x" * 1_024)


async def test_the_stored_problems_of_a_long_unreadable_row_stay_short(engine: ImportEngine) -> None:
    run = await engine.run(HEADER + "x" * 100_000 + "\n")
    assert len(run.error_summary[0]["samples"][0]["value"]) <= 200


async def test_data_in_a_column_without_heading_is_refused_at_acceptance(engine: ImportEngine) -> None:
    with pytest.raises(Refused, match="Column 2 has no heading"):
        await engine.submit("_email,\nann@example.org,x\n")


async def test_a_column_that_is_called_as_one_of_ours_stays_beside_it(engine: ImportEngine) -> None:
    """Also when the file comes back; only a whole report is none of the sender's own."""
    await declare(engine)
    run = await engine.run("_codes,sku,_line,number\nx,a,7,no\n", "things")
    warned = [(each["code"], each["subject"]) for each in run.warnings]
    assert warned == [("unknown_column", "_codes"), ("unknown_column", "_line")]
    file = await file_of(engine, run)
    header, row = file.splitlines()
    assert header == "_codes,sku,_line,number,_line_2,_codes_2,_messages"
    assert row.startswith("x,a,7,no,2,type_error,number: ")
    again = await engine.run(file, "things")
    assert (await file_of(engine, again), again.warnings) == (file, run.warnings)
    corrected = "".join(f"{line},,\n" for line in file.replace(",no,", ",5,").splitlines())  # as spreadsheets write it
    run = await engine.run(corrected, "things", delimiter=";")
    assert (run.created, [each["subject"] for each in run.warnings]) == (1, ["_codes", "_line"])
