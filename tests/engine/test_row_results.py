"""The file of results has every row as it was sent, and says what became of it."""

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from app.errors import Refused
from app.imports.intake import Submission, submit
from app.imports.row_files.download import WantedRows, open_rows
from app.imports.row_files.failed_again import write_failed_again
from app.mappings.mapping import MappedColumn, Mapping
from app.runs.ledger import OUTCOMES
from app.runs.model import Relation, Run
from app.storage import types
from tests.corpus.ugly import UGLY, Ugly
from tests.engine.conftest import ImportEngine

HEADER = "_email,_name\n"


async def declare(engine: ImportEngine, declaration: dict[str, Any]) -> None:
    async with engine.runtime.database.transaction() as session:
        await types.put(session, engine.account_id, "things", declaration)


async def file_of(engine: ImportEngine, run: Run, *outcomes: str, format: Any = None) -> str:
    wanted = WantedRows(frozenset(outcomes), format)
    return b"".join([part async for part in await open_rows(engine.runtime, run, wanted)]).decode(
        "utf-8-sig", "surrogateescape"
    )


async def results(engine: ImportEngine, run: Run, *outcomes: str) -> list[dict[str, str]]:
    csv.field_size_limit(2_000_000)
    return list(csv.DictReader(io.StringIO(await file_of(engine, run, *outcomes, format="csv"), newline="")))


async def told(engine: ImportEngine, run: Run) -> list[str]:
    return [row["_outcome"] for row in await results(engine, run)]


async def ensure_sums(engine: ImportEngine, run: Run) -> None:
    """The outcomes of the rows add up to the counts."""
    found = Counter(await told(engine, run))
    assert {name: found[name] for name in OUTCOMES} == {name: getattr(run, name) for name in OUTCOMES}
    assert found.total() == run.processed


async def test_every_row_is_told_as_it_was_sent(engine: ImportEngine) -> None:
    await engine.run(HEADER + "a@example.org,Ann\nb@example.org,Bob\n")
    rows = [
        "a@example.org,Ann",
        'b@example.org,"Bo""b"',
        "c@example.org, Cyd ",
        "nobody,x",
        "d@example.org",
        "A@example.org,Zoe",
    ]
    run = await engine.run(HEADER + "\n".join(rows) + "\n")
    lines = (await file_of(engine, run)).splitlines()
    assert lines == [
        "_email,_name,_line,_outcome,_key,_codes,_messages",
        "a@example.org,Ann,2,unchanged,a@example.org,,",
        'b@example.org,"Bo""b",3,updated,b@example.org,,',
        "c@example.org, Cyd ,4,created,c@example.org,,",
        "nobody,x,5,failed,nobody,type_error,_email: The value is not a valid e-mail address",
        ',,6,failed,,missing_cell,"The row has 1 cells, but the header has 2. The row as sent: d@example.org"',
        "A@example.org,Zoe,7,updated,a@example.org,,",
    ]
    await ensure_sums(engine, run)


@pytest.mark.parametrize(
    ("options", "outcomes"),
    [
        ({}, ["updated", "created", "updated", "updated", "unchanged"]),
        ({"duplicates": "first"}, ["updated", "created", "skipped", "skipped", "skipped"]),
        ({"duplicates": "error"}, ["updated", "created", "failed", "failed", "failed"]),
        ({"override_existing": False}, ["skipped", "created", "skipped", "skipped", "skipped"]),
        ({"only_empty": True}, ["unchanged", "created", "unchanged", "unchanged", "unchanged"]),
        ({"staged": True}, ["updated", "created", "updated", "updated", "unchanged"]),
        ({"replace": True}, ["updated", "created", "updated", "updated", "unchanged"]),
    ],
)
@pytest.mark.parametrize("batch_rows", [10_000, 1, 2])
async def test_rows_of_one_key_are_told_one_by_one(
    engine: ImportEngine, options: dict[str, Any], outcomes: list[str], batch_rows: int
) -> None:
    await engine.run(HEADER + "a@example.org,Ann\n")
    data = HEADER + "a@example.org,Zoe\nb@example.org,1\na@example.org,2\nb@example.org,3\nb@example.org,3\n"
    run = await engine.with_settings(batch_rows=batch_rows).run(data, **options)
    assert await told(engine, run) == outcomes
    await ensure_sums(engine, run)


@pytest.mark.parametrize("odd", ["", 'x@example.org, "Xe"\n'], ids=["regular quotes", "one irregular line"])
async def test_quoted_lines_stay_as_they_were_sent(engine: ImportEngine, odd: str) -> None:
    """Byte for byte, except for rows that some readers would split in another way: these are written again."""
    rows = ['"a@example.org","A, ""n"""', "b@example.org,Bob", '"c@example.org",""']
    lines = (await file_of(engine, await engine.run(HEADER + "\n".join(rows) + "\n" + odd))).splitlines()
    keys = ("a@example.org", "b@example.org", "c@example.org")
    told = [f"{row},{line},created,{key},," for line, (row, key) in enumerate(zip(rows, keys, strict=True), 2)]
    assert lines[1:] == [*told, *(["x@example.org,Xe,5,created,x@example.org,,"] if odd else [])]


async def test_a_row_that_an_import_accepted_later_has_overtaken_says_so(engine: ImportEngine) -> None:
    first = await engine.submit(HEADER + "a@example.org,old\nb@example.org,new\n")
    await engine.run(HEADER + "a@example.org,newer\n")
    run = await engine.finish(first)
    overtaken, created = await results(engine, run)
    assert (overtaken["_outcome"], overtaken["_codes"], created["_outcome"]) == ("skipped", "superseded", "created")
    assert overtaken["_messages"].startswith("An import that was accepted later has already written this record")
    await ensure_sums(engine, run)


async def test_what_others_change_before_an_overlay_is_applied_is_told(engine: ImportEngine) -> None:
    """The outcome of a staged row is what it came to in the end."""
    await engine.run(HEADER + "".join(f"{name}@example.org,1\n" for name in "abc"))
    rows = ["a@example.org,2", "b@example.org,2", "c@example.org,1", "d@example.org,2"]
    run = await engine.slice(await engine.submit(HEADER + "\n".join(rows) + "\n", staged=True))
    assert await told(engine, run) == ["updated", "updated", "unchanged", "created"]
    await engine.run(HEADER + "a@example.org,2\nc@example.org,3\nd@example.org,4\n")
    await engine.sql("DELETE FROM records WHERE account_id = :a AND key = 'b@example.org'", a=engine.account_id)
    run = await engine.finish(run)
    found = await results(engine, run)
    assert [(row["_outcome"], row["_codes"]) for row in found] == [
        ("skipped", "superseded"),
        ("skipped", "deleted_meanwhile"),
        ("unchanged", ""),
        ("skipped", "superseded"),
    ]
    await ensure_sums(engine, run)


async def test_what_was_staged_and_never_written_is_told_as_left(engine: ImportEngine) -> None:
    run = await engine.run(HEADER + "a@example.org,1\nnobody,2\nb@example.org,3\n", on_error="rollback")
    assert (run.fail_code, run.failed, run.remaining) == ("rolled_back", 1, 2)
    assert await told(engine, run) == ["remaining", "failed", "remaining"]
    assert (await results(engine, run, "created"), len(await results(engine, run, "failed"))) == ([], 1)


THINGS: dict[str, Any] = {
    "key": "sku",
    "unknownColumns": "keep",
    "fields": [{"id": "sku", "type": "text"}, {"id": "n", "type": "integer"}],
}
BY_KEY = Mapping((MappedColumn("_key", "sku"), MappedColumn("n", "n")))


async def test_a_results_file_that_is_sent_back_changes_nothing(engine: ImportEngine) -> None:
    """Also where a column is called as one of those of results, and where unknown columns are kept."""
    await declare(engine, THINGS)
    run = await engine.run("_key,n,more\na,1,x\nb,no,y\nc,3,z\n", "things", mapping=BY_KEY)
    sent_back = await engine.run(await file_of(engine, run), "things", mapping=BY_KEY)
    assert (sent_back.unchanged, sent_back.failed, sent_back.total) == (2, 1, 3)
    assert await engine.record("a", "things") == {"sku": "a", "n": 1, "more": "x"}
    twice = await results(engine, sent_back)
    assert [(row["_key"], row["_outcome"]) for row in twice] == [
        ("a", "unchanged"),
        ("b", "failed"),
        ("c", "unchanged"),
    ]
    assert (await file_of(engine, sent_back)).count("_outcome") == 1


@pytest.mark.parametrize(
    ("own", "ours"),
    [
        ("_line", "_line_2 _outcome _key _codes _messages"),
        ("_outcome _key", "_line _outcome_2 _key_2 _codes _messages"),
        ("_messages _line _line_2", "_line_3 _outcome _key _codes _messages_2"),
        ("_line _codes _messages _x", "_line_2 _outcome _key _codes_2 _messages_2"),
    ],
)
@pytest.mark.parametrize("format", ["csv", "jsonl"])
async def test_a_column_of_the_senders_own_stays(engine: ImportEngine, own: str, ours: str, format: str) -> None:
    """It comes first and untouched, it is stored, and it is not taken for ours when the file is sent back."""
    await declare(engine, THINGS)
    names = ["sku", *own.split()]
    rows = [["a", *map(str, range(len(names) - 1))], ["", *["x"] * (len(names) - 1)]]
    objects = "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
    sent = objects if format == "jsonl" else "".join(",".join(row) + "\n" for row in (names, *rows))
    run = await engine.run(sent, "things", format=format)
    record, outcome = await engine.record("a", "things"), "created"
    assert record == dict(zip(names, rows[0], strict=True))
    for _ in range(2):
        for kind in {format, "jsonl"}:
            file = await file_of(engine, run, format=kind)
            objects = map(json.loads, file.splitlines()) if kind == "jsonl" else csv.DictReader(io.StringIO(file))
            found = [[*each.items()] for each in objects]
            assert [name for name, _ in found[0]] == [*names, *ours.split()]
            assert [[value for _, value in each[: len(names)]] for each in found] == rows
            assert [each[-4][1] for each in found] == [outcome, "failed"]
        run, outcome = await engine.run(await file_of(engine, run), "things", format=format), "unchanged"
        assert (run.unchanged, run.failed, await engine.record("a", "things")) == (1, 1, record)


async def test_json_lines_are_told_as_they_were_sent(engine: ImportEngine) -> None:
    await declare(engine, THINGS)
    rows = ['{ "sku": "a",  "n": 1, "x": {"y": 1.50} }', "", '{"sku":"b","n":"no"}', "{ }"]
    rows += ['{"sku":', '{"sku":"a","n":2}']
    run = await engine.run("\n".join(rows), "things", format="jsonl")
    told = (await file_of(engine, run)).splitlines()
    assert told[0].startswith('{ "sku": "a",  "n": 1, "x": {"y": 1.50} ,"_line":1,')
    found = [json.loads(line) for line in told]
    assert [row["_outcome"] for row in found] == ["created", "failed", "failed", "failed", "updated"]
    assert [row["_key"] for row in found] == ["a", "b", "", "", "a"]
    assert [row["_line"] for row in found] == [1, 3, 4, 5, 6]
    assert found[3]["_messages"].endswith('The row as sent: {"sku":')
    sent_back = await engine.run("\n".join(told), "things", format="jsonl")
    assert (sent_back.unchanged + sent_back.updated, sent_back.failed) == (2, 3)
    assert await engine.record("a", "things") == {"sku": "a", "n": 2, "x": {"y": 1.50}}
    await ensure_sums(engine, run)


async def test_an_object_stays_the_text_that_was_sent(engine: ImportEngine) -> None:
    sent = '{ "_email" : "a@example.org",  "n": 1.50 } '
    run = await engine.run(sent + "\n\n{ }\n", format="jsonl")
    first, second = (await file_of(engine, run)).splitlines()
    told = '"_line":1,"_outcome":"created","_key":"a@example.org","_codes":"","_messages":""}'
    assert first == f"{sent.rstrip()[:-1]},{told}"
    assert second.startswith('{ "_line":3,"_outcome":"failed","_key":"","_codes":"missing_key",')


async def test_cells_become_members_by_their_headings(engine: ImportEngine) -> None:
    run = await engine.run("_email,_name,x,x,\na@example.org,Ann,1,2,\n")
    (row,) = [json.loads(line) for line in (await file_of(engine, run, format="jsonl")).splitlines()]
    assert list(row)[:5] == ["_email", "_name", "x", "Column 4", "Column 5"]
    assert (row["Column 4"], row["_outcome"]) == ("2", "created")


BY_ID = Mapping((MappedColumn("id", "sku"),))


async def import_ugly(engine: ImportEngine, each: Ugly) -> Run | None:
    """None: the file is refused."""
    try:
        return await engine.run(each.data, "things", mapping=BY_ID)
    except Refused:
        return None


async def stored(engine: ImportEngine) -> dict[str, str]:
    rows = await engine.sql("SELECT key, data::text FROM records WHERE account_id = :a", a=engine.account_id)
    return {row["key"]: row["data"] for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("each", UGLY, ids=lambda each: each.name)
async def test_results_of_any_file_add_up_and_can_be_sent_back(engine: ImportEngine, each: Ugly) -> None:
    """Its good rows are as they were sent, and change nothing if they are sent once more. Its bad rows fail again."""
    await declare(engine, THINGS)
    run = await import_ugly(engine.with_settings(batch_rows=2), each)
    if run is None:
        return
    await ensure_sums(engine, run)
    before = await stored(engine)
    for kind in ("csv", "jsonl"):
        file = (await file_of(engine, run, format=kind)).encode("utf-8", "surrogateescape")
        again = await import_ugly(engine, replace(each, data=file))
        if again is not None:
            assert (again.total, again.failed, again.created) == (run.total, run.failed, 0), kind
        assert await stored(engine) == before, kind
    if run.failed:
        retry = await retried(engine, run)
        assert (retry.total, retry.failed, await stored(engine)) == (run.failed, run.failed, before)


async def retried(engine: ImportEngine, run: Run) -> Run:
    upload = (await write_failed_again(engine.runtime, run)).upload
    wanted = Submission(engine.account_id, "api", run.type, upload, mapping=BY_ID, parent=run, relation=Relation.RETRY)
    return await engine.finish(await submit(engine.runtime, wanted))


async def test_broken_rows_do_not_make_a_good_one_of_each_other_when_they_are_retried(engine: ImportEngine) -> None:
    await declare(engine, THINGS)
    run = await engine.run('id,name,x\n1,"a\n2,"q",ok\nb",5\n', "things", mapping=BY_ID)
    good = await stored(engine)
    retry = await retried(engine, run)
    assert (run.failed, retry.total, retry.failed) == (2, 2, 2)
    assert await stored(engine) == good
