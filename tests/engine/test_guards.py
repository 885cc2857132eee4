"""Scenarios of a hostile review: what a caller may rely on, in the corners where set-based merging could break it."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from app.imports.slice import open_slice
from app.runs import lifecycle
from app.runtime import Misconfigured, open_runtime
from app.storage import runs
from app.storage.blobs import FileBlobs
from app.storage.database import DatabaseUnavailable
from app.storage.staging.table import stage
from tests.conftest import NewAccount
from tests.engine.conftest import ImportEngine, law

HEADER = "_email,_name,_points\n"
PRODUCTS = "productId,name,unitPrice,productDetailUrl\n"


def product(key: str, price: str, name: str = "Chair") -> str:
    return f"{key},{name},{price},https://example.org/{key}\n"


async def price(engine: ImportEngine, key: str) -> str:
    rows = await engine.sql(
        "SELECT data ->> 'unitPrice' AS price FROM records WHERE account_id = :a AND key = :k",
        a=engine.account_id,
        k=key,
    )
    return str(rows[0]["price"])


@pytest.mark.parametrize("batch_rows", [1, 100])
async def test_of_repeated_rows_the_last_wins_to_the_last_digit(engine: ImportEngine, batch_rows: int) -> None:
    first, last = "12345678901234567.01", "12345678901234567.02"
    run = await engine.with_settings(batch_rows=batch_rows).run(
        PRODUCTS + product("p1", first) + product("p1", last), "products"
    )
    assert (run.created, run.updated, await price(engine, "p1")) == (1, 1, last)


@pytest.mark.parametrize("batch_rows", [1, 100])
async def test_a_repeated_row_with_a_large_number_breaks_no_batch(engine: ImportEngine, batch_rows: int) -> None:
    engine = engine.with_settings(batch_rows=batch_rows, max_crashes=1)
    run = await engine.run(PRODUCTS + product("p1", "1") + product("p1", "1e400"), "products")
    assert (run.state, run.created, run.updated) == ("finished", 1, 1)


async def test_a_number_and_a_boolean_differ(engine: ImportEngine) -> None:
    lines = '{"_email":"a@example.org","x":1}\n{"_email":"a@example.org","x":true}\n'
    await engine.run(lines, format="jsonl", unknown_columns="keep")
    assert (await engine.record("a@example.org") or {})["x"] is True


async def test_a_key_cell_that_equals_the_null_marker_is_no_key(engine: ImportEngine) -> None:
    data = "_email,_externalId,_name\nNULL,x1,Ann\nNULL,x2,Bob\n"
    run = await engine.run(data, null_marker="NULL")
    assert (run.created, await engine.keys()) == (2, ["x1", "x2"])


async def test_a_required_cell_that_equals_the_null_marker_creates_nothing(engine: ImportEngine) -> None:
    run = await engine.run(PRODUCTS + product("p1", "5", name="NULL"), "products", null_marker="NULL")
    assert (run.created, run.failed) == (0, 1)


async def test_a_null_does_not_clear_a_required_field(engine: ImportEngine) -> None:
    await engine.run(PRODUCTS + product("p1", "5"), "products")
    run = await engine.run('{"productId":"p1","name":null,"unitPrice":6}\n', "products", format="jsonl")
    assert (await engine.record("p1", "products") or {})["name"] == "Chair", run.error_summary


async def test_blanks_do_not_overwrite_a_required_field(engine: ImportEngine) -> None:
    await engine.run(PRODUCTS + product("p1", "5"), "products")
    await engine.run(PRODUCTS + product("p1", "6", name="   "), "products")
    assert (await engine.record("p1", "products") or {})["name"] == "Chair"


async def test_rows_that_lack_a_required_value_cause_no_deadlock(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One import has incomplete rows (their records are locked first), the other is merging them in the keys' order."""
    await engine.run(PRODUCTS + product("k1", "1") + product("k5", "1"), "products")
    engine = engine.with_settings(max_crashes=100)
    first = await engine.submit(PRODUCTS + product("k1", "2") + product("k5", "2", name=""), "products")
    second = await engine.submit(PRODUCTS + product("k1", "3") + product("k5", "3"), "products")
    broken: list[object] = []
    real_count_crash = lifecycle.count_crash

    async def count_crash(runtime: object, run: object, trouble: Exception) -> None:
        broken.append(trouble.__cause__)
        await real_count_crash(runtime, run, trouble)  # type: ignore[arg-type]

    held, may_merge = asyncio.Event(), asyncio.Event()
    real_stage = stage

    async def stage_slowly(session: object, lines: bytes) -> None:
        await real_stage(session, lines)  # type: ignore[arg-type]
        held.set()
        await may_merge.wait()

    monkeypatch.setattr(lifecycle, "count_crash", count_crash)
    monkeypatch.setattr("app.storage.staging.table.stage", stage_slowly)
    working = asyncio.create_task(engine.slice(first))
    await held.wait()
    monkeypatch.setattr("app.storage.staging.table.stage", real_stage)
    other = asyncio.create_task(engine.slice(second))
    await asyncio.sleep(0.5)  # by now it holds k1 and waits for k5
    may_merge.set()
    await asyncio.gather(working, other)
    assert broken == []


async def test_a_database_that_is_unwell_for_a_while_fails_no_import(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a lost election is not the file's fault, however often it is met."""
    run = await engine.submit(HEADER + "ann@example.org,Ann,1\n")

    async def full(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("disk full (53100)")

    with monkeypatch.context() as unwell:
        unwell.setattr("app.storage.batches.add", full)
        for _ in range(10):
            await engine.slice(run)
            await engine.sql("UPDATE runs SET due_at = now() WHERE id = :id", id=run.id)
    assert (await engine.get(run)).state == "running"


async def test_a_superseded_row_is_reported_even_after_the_newer_import_is_deleted(engine: ImportEngine) -> None:
    older = await engine.submit(HEADER + "ann@example.org,Old,1\n")
    newer = await engine.submit(HEADER + "ann@example.org,New,2\n")
    await engine.finish(newer)
    async with engine.runtime.database.transaction() as session:
        assert await runs.delete_ended(session, engine.account_id, newer.id)

    older = await engine.finish(older)

    assert (older.skipped, older.unchanged) == (1, 0)


@pytest.mark.parametrize("batch_rows", [1, 100])
async def test_repeats_are_refused_wherever_the_batch_ends(engine: ImportEngine, batch_rows: int) -> None:
    await engine.run(HEADER + "ann@example.org,Ann,1\n")
    rows = "ann@example.org,A,1\nann@example.org,B,1\n"
    run = await engine.with_settings(batch_rows=batch_rows).run(
        HEADER + rows, duplicates="error", override_existing=False
    )
    assert (run.skipped, run.failed) == (1, 1)


async def test_a_column_without_heading_costs_one_read_of_the_file(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"a{number}@example.org,A,\n" for number in range(20_000))
    run = await engine.submit("_email,_name,\n" + rows)
    read: list[int] = []
    from app.formats.delimited import DelimitedReader

    real = DelimitedReader.read
    monkeypatch.setattr(DelimitedReader, "read", lambda self, *args, **kw: (read.append(1), real(self, *args, **kw))[1])
    with open_slice(engine.runtime, run):
        assert len(read) == 0  # the event loop's thread reads the whole file here, for each slice


async def test_a_long_member_name_does_not_swell_the_warnings(engine: ImportEngine) -> None:
    lines = "".join(
        json.dumps({"_email": f"a{number}@example.org", chr(97 + number) * 500_000: 1}) + "\n" for number in range(10)
    )
    run = await engine.run(lines, format="jsonl")
    assert len(json.dumps(run.warnings)) < 100_000


async def test_a_type_cannot_change_its_key_under_a_waiting_import(
    engine: ImportEngine, a_key: NewAccount, client: httpx.AsyncClient
) -> None:
    account = await a_key()
    engine.account_id = account.id  # type: ignore[assignment]
    body = {"key": "a", "fields": [{"id": "a", "type": "text"}, {"id": "b", "type": "text"}]}
    assert (await client.put("/types/things", headers=account.headers, json=body)).status_code == 201
    run = await engine.submit("a,b\n1,x\n2,y\n", "things")
    changed = await client.put("/types/things", headers=account.headers, json=body | {"key": "b"})
    run = await engine.finish(run)
    assert changed.status_code == 409 or run.created == 0


async def test_a_made_up_cursor_is_refused(engine: ImportEngine, a_key: NewAccount, client: httpx.AsyncClient) -> None:
    account = await a_key()
    engine.account_id = account.id  # type: ignore[assignment]
    run = await engine.run(HEADER + "nonsense,A,1\n")
    answer = await client.get(f"/imports/{run.id}/problems?cursor=99999999999.0", headers=account.headers)
    assert answer.status_code == 422


async def test_a_page_far_beyond_the_end_is_not_a_server_error(a_key: NewAccount, client: httpx.AsyncClient) -> None:
    account = await a_key()
    answer = await client.get("/imports?page=99999999999999999999", headers=account.headers)
    assert answer.status_code in (200, 422)


async def test_a_list_in_the_failed_rows_can_be_sent_back(
    engine: ImportEngine, a_key: NewAccount, client: httpx.AsyncClient
) -> None:
    account = await a_key()
    engine.account_id = account.id  # type: ignore[assignment]
    line = '{"productId":"p1","name":"","unitPrice":5,"productDetailUrl":"https://example.org/","tags":["a","b"]}\n'
    run = await engine.run(line, "products", format="jsonl")
    failed = (await client.get(f"/imports/{run.id}/failed-rows.csv", headers=account.headers)).text
    await engine.run(failed.replace("p1,https://example.org/,,", "p1,https://example.org/,Chair,"), "products")
    assert (await engine.record("p1", "products") or {}).get("tags") == ["a", "b"]


@pytest.mark.parametrize("secret", ["se/cret", "p#ss"])
async def test_a_password_that_cannot_be_parsed_is_not_repeated(engine: ImportEngine, secret: str) -> None:
    settings = engine.runtime.settings
    url = type(settings.redis_url)(f"redis://:{secret}@localhost:6379/0")  # type: ignore[misc, call-arg]
    with pytest.raises(Misconfigured) as wrong:
        async with open_runtime(settings.model_copy(update={"redis_url": url})):
            pass
    assert "cret" not in str(wrong.value)
    assert "'p'" not in str(wrong.value)


async def test_a_batch_is_bounded_by_the_size_of_its_records_not_of_its_rows(engine: ImportEngine) -> None:
    """Long headings, short cells: each row of 4 kB becomes an object of 500 kB."""
    engine = engine.with_settings(batch_bytes=65_536)
    header = ",".join(["_email", *(f"{number:04d}" + "h" * 240 for number in range(1_990))])
    rows = "".join(f"a{number}@example.org{',1' * 1_990}\n" for number in range(40))
    run = await engine.submit(f"{header}\n{rows}", unknown_columns="keep")
    with open_slice(engine.runtime, run) as slice_:
        prepared = await slice_.start_reading(slice_.position)
    assert len(prepared.copy_text or b"") < 4_194_304


async def test_a_stored_file_is_durable_with_the_folder_it_is_in(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("app.storage.blobs.files.sync_folder", synced.append)
    store = FileBlobs(tmp_path)
    writer = store.create()
    writer.write(b"x")
    writer.commit()
    assert store.stored in synced  # else a power cut may forget the new folder, and the file with it


async def test_hard_keys_and_values_pass_through_copy(engine: ImportEngine) -> None:
    keys = ["\\N", "\\.", 'a"b', "a\tb", "a%sb", "%", "a\\", "\U0001f600" * 255, "a\x01b", "\u2028", "\x7f"]
    lines = "".join(
        json.dumps({"productId": key, "name": key, "unitPrice": 1, "productDetailUrl": "https://e.org/"}) + "\n"
        for key in keys
    )
    run = await engine.run(lines, "products", format="jsonl")
    law(run)
    assert (run.created, run.failed) == (10, 1), run.error_summary  # U+2028 alone is blank
    for key in keys:
        if key.strip():
            assert (await engine.record(key, "products") or {})["name"] == key
