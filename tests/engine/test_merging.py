"""How rows meet the records that are there already: every mode, every outcome, counted."""

import pytest

from tests.engine.conftest import ImportEngine, law

HEADER = "_email,_name,_points\n"


async def test_new_rows_are_created_and_counted(engine: ImportEngine) -> None:
    run = await engine.run(HEADER + "ann@example.org,Ann,1\nbob@example.org,Bob,2\n")

    assert (run.state, run.total, run.created, run.failed) == ("finished", 2, 2, 0)
    assert await engine.record("ann@example.org") == {"_email": "ann@example.org", "_name": "Ann", "_points": 1}
    law(run)


async def test_the_same_file_again_changes_nothing(engine: ImportEngine) -> None:
    data = HEADER + "ann@example.org,Ann,1\nbob@example.org,Bob,2\n"
    await engine.run(data)
    before = await engine.sql("SELECT key, updated_at, run_id FROM records WHERE account_id = :a", a=engine.account_id)

    run = await engine.run(data)

    assert (run.unchanged, run.updated, run.created) == (2, 0, 0)
    after = await engine.sql("SELECT key, updated_at, run_id FROM records WHERE account_id = :a", a=engine.account_id)
    assert before == after


async def test_an_update_keeps_columns_that_the_file_does_not_have(engine: ImportEngine) -> None:
    await engine.run(HEADER + "ann@example.org,Ann,1\n")

    run = await engine.run("_email,_surname\nANN@example.org,Smith\n")

    assert run.updated == 1
    expected = {"_email": "ANN@example.org", "_name": "Ann", "_points": 1, "_surname": "Smith"}
    assert await engine.record("ann@example.org") == expected


async def test_an_empty_cell_keeps_the_field(engine: ImportEngine) -> None:
    await engine.run(HEADER + "ann@example.org,Ann,1\n")
    run = await engine.run(HEADER + "ann@example.org,,2\n")
    assert (run.updated, (await engine.record("ann@example.org") or {})["_name"]) == (1, "Ann")


@pytest.mark.parametrize(("blank", "expected"), [("clear", None), ("empty", "")])
async def test_an_empty_cell_clears_or_empties_when_asked_to(
    engine: ImportEngine, blank: str, expected: object
) -> None:
    await engine.run(HEADER + "ann@example.org,Ann,1\n")
    await engine.run(HEADER + "ann@example.org,,\n", blank_cells=blank)
    assert await engine.record("ann@example.org") == {"_email": "ann@example.org", "_name": expected, "_points": None}


async def test_a_cell_equal_to_the_null_marker_is_skipped(engine: ImportEngine) -> None:
    await engine.run(HEADER + "ann@example.org,Ann,1\n")
    run = await engine.run(HEADER + "ann@example.org,NULL,2\n", blank_cells="clear", null_marker="NULL")
    assert (run.updated, (await engine.record("ann@example.org") or {})["_name"]) == (1, "Ann")


async def test_without_override_existing_records_are_skipped(engine: ImportEngine) -> None:
    await engine.run(HEADER + "ann@example.org,Ann,1\n")
    run = await engine.run(HEADER + "ann@example.org,Anna,9\nbob@example.org,Bob,2\n", override_existing=False)
    assert (run.created, run.skipped, run.success) == (1, 1, 2)
    assert (await engine.record("ann@example.org") or {})["_name"] == "Ann"


async def test_only_empty_fields_are_filled_when_asked_to(engine: ImportEngine) -> None:
    await engine.run("_email,_name\nann@example.org,Ann\n")
    await engine.run("_email,_name,_surname\nann@example.org,Anna,Smith\n", only_empty=True)
    expected = {"_email": "ann@example.org", "_name": "Ann", "_surname": "Smith"}
    assert await engine.record("ann@example.org") == expected


async def test_only_empty_counts_rows_that_fill_nothing_as_unchanged(engine: ImportEngine) -> None:
    await engine.run("_email,_name\nann@example.org,Ann\n")
    run = await engine.run("_email,_name\nann@example.org,Anna\n", only_empty=True)
    assert (run.unchanged, run.updated) == (1, 0)


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
async def test_a_repeated_key_is_applied_in_the_files_order(engine: ImportEngine, batch_rows: int) -> None:
    rows = "ann@example.org,A,1\nbob@example.org,Bob,2\nAnn@Example.org,B,1\nann@example.org,B,1\nann@example.org,C,\n"
    engine = engine.with_settings(batch_rows=batch_rows)

    run = await engine.run(HEADER + rows)

    assert (run.created, run.updated, run.unchanged, run.failed) == (2, 3, 0, 0)
    assert await engine.record("ann@example.org") == {"_email": "ann@example.org", "_name": "C", "_points": 1}
    warning = next(each for each in run.warnings if each["code"] == "duplicate_key")
    assert warning["count"] == 3
    assert [sample["row"] for sample in warning["samples"]] == [3, 4, 5]
    law(run)


@pytest.mark.parametrize("batch_rows", [1, 100])
@pytest.mark.parametrize(("duplicates", "skipped", "failed"), [("first", 2, 0), ("error", 0, 2)])
async def test_a_repeated_key_is_skipped_or_refused_when_asked_to(
    engine: ImportEngine, batch_rows: int, duplicates: str, skipped: int, failed: int
) -> None:
    rows = "ann@example.org,A,1\nann@example.org,B,1\nann@example.org,A,1\nbob@example.org,Bob,2\n"
    await engine.run(HEADER + "bob@example.org,Bob,2\n")

    run = await engine.with_settings(batch_rows=batch_rows).run(HEADER + rows, duplicates=duplicates)

    assert (run.created, run.unchanged, run.skipped, run.failed) == (1, 1, skipped, failed)
    assert (await engine.record("ann@example.org") or {})["_name"] == "A"
    law(run)


async def test_the_import_accepted_later_wins_whichever_runs_first(engine: ImportEngine) -> None:
    older = await engine.submit(HEADER + "ann@example.org,Old,1\nbob@example.org,Bob,1\n")
    newer = await engine.submit(HEADER + "ann@example.org,New,2\n")

    newer, older = await engine.finish(newer), await engine.finish(older)

    assert (await engine.record("ann@example.org") or {})["_name"] == "New"
    assert (older.created, older.skipped, newer.created) == (1, 1, 1)
    assert older.warnings[0]["code"] == "superseded"


async def test_repeated_rows_of_an_older_import_are_superseded_one_by_one(engine: ImportEngine) -> None:
    older = await engine.submit(HEADER + "ann@example.org,Old,1\nbob@example.org,Bob,1\nann@example.org,Older,2\n")
    newer = await engine.submit(HEADER + "ann@example.org,New,2\n")

    newer, older = await engine.finish(newer), await engine.finish(older)

    assert (await engine.record("ann@example.org") or {})["_name"] == "New"
    assert (older.created, older.skipped, older.updated) == (1, 2, 0)
    law(older)


async def test_a_repeated_row_with_equal_lists_changes_nothing(engine: ImportEngine) -> None:
    row = '{"_email":"ann@example.org","tags":[1.0,{"a":%s}]}\n'
    run = await engine.run(row % "1" + row % "1.0" + row % "2", format="jsonl", unknown_columns="keep")
    assert (run.created, run.unchanged, run.updated) == (1, 1, 1), run


async def test_a_later_import_that_changed_nothing_still_wins(engine: ImportEngine) -> None:
    await engine.run(HEADER + "ann@example.org,Same,1\n")
    older = await engine.submit(HEADER + "ann@example.org,Old,1\n")
    newer = await engine.submit(HEADER + "ann@example.org,Same,1\n")

    newer, older = await engine.finish(newer), await engine.finish(older)

    assert (newer.unchanged, older.skipped) == (1, 1)
    assert (await engine.record("ann@example.org") or {})["_name"] == "Same"


async def test_a_row_without_a_required_value_updates_but_does_not_create(engine: ImportEngine) -> None:
    header = "productId,name,unitPrice,productDetailUrl\n"
    await engine.run(header + "p1,Chair,10.50,https://example.org/p1\n", "products")

    run = await engine.run(header + "p1,,11.00,\np2,,5,https://example.org/p2\n", "products")

    assert (run.updated, run.failed) == (1, 1)
    assert [each["code"] for each in run.error_summary] == ["required"]
    assert (await engine.record("p1", "products") or {})["name"] == "Chair"
    assert await engine.record("p2", "products") is None
    law(run)


async def test_a_coupon_known_in_its_set_is_unchanged_and_in_another_an_error(engine: ImportEngine) -> None:
    await engine.run("code\nA\nB\n", "coupons", constants={"couponSetId": '"summer"'})
    again = await engine.run("code\nA\n", "coupons", constants={"couponSetId": '"summer"'})
    other = await engine.run("code\nB\nC\nB\n", "coupons", constants={"couponSetId": '"winter"'})

    assert again.unchanged == 1
    assert (other.created, other.failed) == (1, 2)
    assert other.error_summary[0]["code"] == "conflict"
    assert await engine.record("B", "coupons") == {"code": "B", "couponSetId": "summer"}


async def test_a_thousand_rows_of_one_key_are_one_record(engine: ImportEngine) -> None:
    rows = "".join(f"ann@example.org,N{number},{number}\n" for number in range(1000))
    run = await engine.run(HEADER + rows)
    assert (run.created, run.updated) == (1, 999)
    assert (await engine.record("ann@example.org") or {})["_points"] == 999


async def test_a_header_without_rows_finishes_with_nothing(engine: ImportEngine) -> None:
    run = await engine.run(HEADER)
    assert (run.state, run.total, run.created) == ("finished", 0, 0)
