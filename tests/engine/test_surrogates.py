"""Records that are known by an id of ours: found by the caller's own id, by ours, or made anew."""

import zlib
from datetime import timedelta
from typing import Any

from app.resources.customers import RESOURCE
from app.resources.stored_keys import key_from_source
from app.runs import ledger
from app.storage import batches
from tests.engine.conftest import ImportEngine, law


def key_of(engine: ImportEngine, source: str) -> str:
    assert RESOURCE.surrogate is not None
    return key_from_source(RESOURCE.surrogate, engine.account_id, source)


async def times(engine: ImportEngine) -> list[Any]:
    return await engine.sql(
        "SELECT key, created_at, updated_at FROM records WHERE account_id = :id ORDER BY created_at",
        id=engine.account_id,
    )


async def test_the_callers_own_id_finds_its_record_in_every_spelling(engine: ImportEngine) -> None:
    await engine.run("source_id,name\ncafé,Ana\n", "customers")
    run = await engine.run("source_id,name\n cafe\u0301 ,Anna\n", "customers")

    assert (run.created, run.updated) == (0, 1)
    assert await engine.record(key_of(engine, "café"), "customers") == {"source_id": "café", "name": "Anna"}


async def test_two_accounts_have_ids_of_their_own(engine: ImportEngine) -> None:
    other = replace_account(engine)
    await engine.run("source_id\nx\n", "customers")
    assert key_of(engine, "x") != key_of(other, "x")


def replace_account(engine: ImportEngine) -> ImportEngine:
    return ImportEngine(engine.runtime, type(engine.account_id)(engine.account_id + 1))


async def test_a_row_without_a_key_fails_unless_the_import_is_anonymous(engine: ImportEngine) -> None:
    strict = await engine.run("source_id,name\n,Ana\nx,Bob\n", "customers")
    loose = await engine.run("source_id,name\n,Ana\nx,Bob\n", "customers", anonymous=True)

    assert (strict.created, strict.failed) == (1, 1)
    assert strict.error_summary[0]["code"] == "missing_key"
    assert (loose.created, loose.unchanged) == (1, 1)


async def test_a_record_is_made_at_a_microsecond_of_its_own_in_the_files_order(engine: ImportEngine) -> None:
    small = engine.with_settings(batch_rows=70)
    await small.run("source_id\n" + "".join(f"s{n}\n" for n in range(500)), "customers")

    rows = await times(engine)
    assert [row["key"] for row in rows] == [key_of(engine, f"s{n}") for n in range(500)]
    assert len({row["created_at"] for row in rows}) == 500
    assert all(row["updated_at"] == row["created_at"] for row in rows)


async def test_a_change_moves_only_the_time_of_the_update(engine: ImportEngine) -> None:
    await engine.run("source_id,name\nx,Ana\ny,Bob\n", "customers")
    before = {row["key"]: row for row in await times(engine)}
    await engine.run("source_id,name\nx,Anna\ny,Bob\n", "customers")
    after = {row["key"]: row for row in await times(engine)}

    x, y = key_of(engine, "x"), key_of(engine, "y")
    assert after[x]["created_at"] == before[x]["created_at"]
    assert after[x]["updated_at"] >= before[x]["created_at"] + timedelta(microseconds=1)
    assert after[y] == before[y]


async def test_a_ledger_tells_which_rows_made_records(engine: ImportEngine) -> None:
    await engine.run("source_id\nb\n", "customers")
    run = await engine.run("source_id\na\nb\nc\na\n", "customers", ledger=True)
    async with engine.runtime.database.read() as session:
        [batch] = await batches.from_number(session, run.id, since=1, limit=10)
    assert ledger.unpack(batch) == b"cncn"
    assert ledger.decode_lists(zlib.decompress(batch["created_rows"])) == ([1, 3], [])
    assert ledger.unpack({**batch, "outcomes": None}) == b"cucu"  # as release 0.1 would have written it
    law(run)


async def test_an_import_without_a_ledger_keeps_none(engine: ImportEngine) -> None:
    run = await engine.run("source_id\na\n", "customers")
    async with engine.runtime.database.read() as session:
        [batch] = await batches.from_number(session, run.id, since=1, limit=10)
    assert batch["created_rows"] is None


async def test_constants_of_every_kind_go_to_every_row(engine: ImportEngine) -> None:
    constants = {"metadata.n": "1.10", "metadata.list": "[1]", "name": '"Ana"'}
    run = await engine.run("source_id\nx\n", "customers", constants=constants)
    again = await engine.run("source_id\nx\n", "customers", constants=constants)

    assert (run.created, again.unchanged) == (1, 1)
    assert await engine.record(key_of(engine, "x"), "customers") == {
        "source_id": "x",
        "name": "Ana",
        "metadata.n": 1.10,
        "metadata.list": [1],
    }


async def test_an_own_id_is_never_cleared(engine: ImportEngine) -> None:
    await engine.run("source_id,name\nx,Ana\n", "customers")
    key = key_of(engine, "x")
    await engine.run(f"id,source_id,name\n{key},,\n", "customers", blank_cells="clear")
    await engine.run(f'{{"id": "{key}", "source_id": null, "name": "Z"}}\n', "customers", format="jsonl")

    assert await engine.record(key, "customers") == {"source_id": "x", "name": "Z"}


async def test_unknown_columns_are_kept_under_a_name_of_their_own(engine: ImportEngine) -> None:
    await engine.run("source_id,Lang,metadata.tier\nx,es,gold\n", "customers")
    assert await engine.record(key_of(engine, "x"), "customers") == {
        "source_id": "x",
        "metadata.Lang": "es",
        "metadata.tier": "gold",
    }


async def test_the_time_of_a_change_never_goes_back(engine: ImportEngine) -> None:
    await engine.run("source_id,name\nx,Ana\n", "customers")
    await engine.sql(
        "UPDATE records SET updated_at = now() + interval '1 hour' WHERE account_id = :id", id=engine.account_id
    )
    [before] = await times(engine)
    await engine.run("source_id,name\nx,Anna\n", "customers")
    [after] = await times(engine)
    assert after["updated_at"] == before["updated_at"] + timedelta(microseconds=1)
