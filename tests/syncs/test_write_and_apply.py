"""Item syncs from the files to the records: what is created, changed, kept and removed, and how it is counted."""

import pytest

from app.runs.holding.brakes import Brakes
from app.storage import types
from tests.engine.conftest import ImportEngine
from tests.support.item_syncs import SyncEngine, entities

ITEMS = "ItemCode;Description;SalesPrice;salesprice1;salesprice2\nA;Shirt;9.95;8;7.5\nB;Cap;5;;4\n;nobody;1;1;1\n"
FILTERS = "ClassName;ClassValue;ItemCode;Sequence\nColor;Red;A;1\nColor;Blue;B;2\nBrand;Nike;A;1\n"


async def test_the_first_sync_creates_all_there_is(syncs: SyncEngine) -> None:
    run = await syncs.run(ITEMS, FILTERS)
    assert (run.state, run.total, run.created, run.skipped, run.failed) == ("finished", 6, 5, 1, 0), run.error_summary
    moment = run.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await syncs.stored("items") == {
        "A": {"itemCode": "A", "description": "Shirt", "salesPrice": "9.95", "vatIncluded": "E", "createdDate": moment,
              "classValues": ["Brand:Nike", "Color:Red"]},
        "B": {"itemCode": "B", "description": "Cap", "salesPrice": 5, "vatIncluded": "E", "createdDate": moment,
              "classValues": ["Color:Blue"]},
    }  # fmt: skip
    assert await syncs.stored("price-lists") == {
        number: {"id": number, "code": number, "name": f"PriceList {number}"} for number in ("1", "2")
    }
    assert await syncs.stored("item-prices") == {
        f"{number}:{code}": {"id": f"{number}:{code}", "priceListId": number, "itemCode": code, "price": price}
        for number, code, price in (("1", "A", 8), ("2", "A", "7.5"), ("2", "B", 4))
    }
    assert await syncs.stored("item-classes") == {"Color": {"name": "Color"}, "Brand": {"name": "Brand"}}
    assert await syncs.stored("item-class-values") == {
        f"{name}:{value}": {"id": f"{name}:{value}", "itemClass": name, "value": value, "sequence": sequence}
        for name, value, sequence in (("Color", "Red", 1), ("Color", "Blue", 2), ("Brand", "Nike", 1))
    }
    assert entities(run) == {
        "items": {"added": 2, "skipped": 1},
        "item-prices": {"added": 3},
        "price-lists": {"added": 2},
        "item-classes": {"added": 2},
        "item-class-values": {"added": 3},
        "links": {"added": 3},
    }
    assert [(each["path"], each["rows"]) for each in run.report["files"]] == [
        ("/items/a.csv", {"created": 2, "updated": 0, "unchanged": 0, "skipped": 1, "failed": 0}),
        ("/itemfilters/a.csv", {"created": 3, "updated": 0, "unchanged": 0, "skipped": 0, "failed": 0}),
    ]
    assert await syncs.sql("SELECT * FROM staged_records WHERE staged_by = :id", id=run.id) == []
    assert await syncs.sql("SELECT * FROM staged_keys WHERE staged_by = :id", id=run.id) == []


@pytest.mark.parametrize("mode", ["incremental", "full"])
async def test_the_same_files_again_change_nothing(syncs: SyncEngine, mode: str) -> None:
    await syncs.run(ITEMS, FILTERS, mode=mode)
    before = await syncs.sql("SELECT * FROM records WHERE account_id = :id ORDER BY type, key", id=syncs.account_id)
    run = await syncs.run(ITEMS, FILTERS, mode=mode)
    assert (run.unchanged, run.skipped, run.created, run.updated) == (5, 1, 0, 0)
    after = await syncs.sql("SELECT * FROM records WHERE account_id = :id ORDER BY type, key", id=syncs.account_id)
    assert after == before
    assert entities(run)["items"] == {"unchanged": 2, "skipped": 1}
    assert {name: counts["unchanged"] for name, counts in entities(run).items()} == {
        "items": 2, "item-prices": 3, "price-lists": 2, "item-classes": 2, "item-class-values": 3, "links": 3,
    }  # fmt: skip


async def test_an_incremental_sync_removes_nothing_and_adds_links(syncs: SyncEngine) -> None:
    await syncs.run("ItemCode;CreatedDate;salesprice1;Unit\nA;2026-01-31;8;PCS\nB;2026-01-31;9;PCS\n", FILTERS)
    run = await syncs.run(
        "ItemCode;CreatedDate;salesprice1;Unit\nA;soon;;\n", "ClassName;ClassValue;ItemCode\nSize;L;A\n"
    )
    assert (run.created, run.unchanged) == (1, 1)
    items = await syncs.stored("items")
    assert items["A"]["createdDate"] == "2026-01-31T00:00:00Z"
    assert items["A"]["unit"] == "PCS"
    assert items["A"]["classValues"] == ["Brand:Nike", "Color:Red", "Size:L"]
    assert set(await syncs.stored("item-prices")) == {"1:A", "1:B"}
    assert set(items) == {"A", "B"}


async def test_a_row_counts_as_updated_if_a_price_of_it_changes(syncs: SyncEngine) -> None:
    await syncs.run("ItemCode;Unit;salesprice1\nA;PCS;8\nB;PCS;9\nC;PCS;10\n")
    run = await syncs.run("ItemCode;Unit;salesprice1;salesprice2\nA;PCS;8.5;\nB;BOX;9;\nC;PCS;10;0\n")
    assert (run.updated, run.unchanged) == (2, 1)
    assert entities(run) == {
        "items": {"changed": 1, "unchanged": 2},
        "item-prices": {"changed": 1, "unchanged": 2},
        "price-lists": {"added": 1, "unchanged": 1},
        "item-classes": {}, "item-class-values": {},
    }  # fmt: skip


async def test_the_same_item_in_two_files_is_what_the_later_one_says(syncs: SyncEngine) -> None:
    run = await syncs.run(
        {"b.csv": "ItemCode;Unit;salesprice1\nA;BOX;2\n", "a.csv": "ItemCode;Unit;Currency\nA;PCS;EUR\n"}
    )
    stored = (await syncs.stored("items"))["A"]
    assert (stored["unit"], stored["currency"]) == ("BOX", "EUR")
    assert (run.created, run.updated) == (1, 1)
    (warning,) = [each for each in run.warnings if each["code"] == "duplicate_key"]
    assert (warning["count"], warning["samples"][0]["file"], warning["samples"][0]["line"]) == (1, "/items/b.csv", 2)
    assert (
        warning["message"] == "Item `A` is in row 1 of `/items/a.csv` and in row 1 of `/items/b.csv`. The later counts"
    )


@pytest.mark.parametrize("mode", ["incremental", "full"])
@pytest.mark.parametrize("older_is_open", [False, True])
async def test_items_that_two_files_name_differently_are_unchanged_when_the_same_files_come_again(
    syncs: SyncEngine, mode: str, older_is_open: bool
) -> None:
    items = {
        "a.csv": "ItemCode;Unit;salesprice1\nC;PCS;\nC;BOX;\nC;PCS;\nA;PCS;1\nB;PCS;1\n",
        "b.csv": "ItemCode;Unit;salesprice1\nC;PCS;\nC;BOX;\nC;PCS;\nA;BOX;2\nB;BOX;3\nB;PCS;1\n",
    }
    filters = {"a.csv": "ClassName;ClassValue;ItemCode;Sequence\nSize;L;A;1\nSize;L;B;2\n",
               "b.csv": "ClassName;ClassValue;ItemCode;Sequence\nSize;L;C;3\n"}  # fmt: skip
    small = syncs.with_settings(batch_rows=3)
    await small.run(items, filters, mode=mode)
    before = await syncs.sql("SELECT * FROM records WHERE account_id = :id ORDER BY type, key", id=syncs.account_id)
    if older_is_open:
        await ImportEngine(syncs.runtime, syncs.account_id).submit("itemCode\nA\n", "items")
    run = await small.run(items, filters, mode=mode)
    assert (run.state, run.total, run.unchanged) == ("finished", 14, 14)
    assert [each["rows"]["unchanged"] for each in run.report["files"]] == [5, 6, 2, 1]
    changed = {name: counts.keys() - {"unchanged"} for name, counts in entities(run).items()}
    assert not any(changed.values()), entities(run)
    after = await syncs.sql("SELECT * FROM records WHERE account_id = :id ORDER BY type, key", id=syncs.account_id)
    seen = ("key", "data", "updated_at", "run_id")
    assert [[row[name] for name in seen] for row in after] == [[row[name] for name in seen] for row in before]


async def test_rows_that_create_something_else_keep_their_outcome_where_what_they_repeat_is_unchanged(
    syncs: SyncEngine,
) -> None:
    filters = {"a.csv": "ClassName;ClassValue;ItemCode;Sequence\nSize;L;A;1\n",
               "b.csv": "ClassName;ClassValue;ItemCode;Sequence\nSize;L;A;2\n"}  # fmt: skip
    await syncs.run("ItemCode\nA\nB\n", filters)
    filters["a.csv"] += "Size;L;B;3\n"
    run = await syncs.with_settings(batch_rows=1).run("ItemCode\nA\nB\n", filters)
    assert (run.created, run.updated, run.unchanged) == (1, 0, 4)
    assert entities(run)["item-class-values"] == {"unchanged": 1}


async def test_a_full_sync_removes_what_no_row_names(syncs: SyncEngine) -> None:
    await syncs.run("ItemCode;Unit;salesprice1;salesprice2\nA;PCS;1;2\nB;PCS;1;2\nC;PCS;1;2\n", FILTERS)
    run = await syncs.run(
        "ItemCode;Unit;salesprice1\nA;;1\nB;BOX;\n", "ClassName;ClassValue;ItemCode\nColor;Red;B\n", mode="full",
        max_removed_share=None,
    )  # fmt: skip
    items = await syncs.stored("items")
    assert (run.state, run.removed, set(items)) == ("finished", 1, {"A", "B"})
    assert items["A"]["unit"] is None
    assert (items["A"]["classValues"], items["B"]["classValues"]) == ([], ["Color:Red"])
    assert set(await syncs.stored("item-prices")) == {"1:A"}
    assert set(await syncs.stored("price-lists")) == {"1"}
    assert set(await syncs.stored("item-class-values")) == {"Color:Red"}
    assert set(await syncs.stored("item-classes")) == {"Color"}
    removed = {name: counts.get("removed", 0) for name, counts in entities(run).items()}
    assert removed == {
        "items": 1, "item-prices": 5, "price-lists": 1, "item-class-values": 2, "item-classes": 1, "links": 3,
    }  # fmt: skip


async def test_an_older_import_brings_back_nothing_that_a_full_sync_has_removed_and_loses_nothing_else(
    syncs: SyncEngine,
) -> None:
    """From the moment on that the sync is applied: its pictures come later, and may fail."""
    imports = ImportEngine(syncs.runtime, syncs.account_id)
    older = await imports.submit("itemCode,description\nA,Shirt\nZ,Old\n", "items")
    of_class = await imports.submit("name\nColor\n", "item-classes")
    run = await syncs.submit("ItemCode;Description\nA;Shirt\n", mode="full", max_removed_share=None)
    while run.step != "images":
        run = await syncs.slice(run)
    older = await imports.finish(older)
    assert (older.created, older.skipped, set(await syncs.stored("items"))) == (0, 2, {"A"})
    assert (await imports.finish(of_class)).created == 1


async def test_a_brake_stops_a_full_sync_that_would_remove_too_much_only_since_its_files_were_read(
    syncs: SyncEngine,
) -> None:
    imports = ImportEngine(syncs.runtime, syncs.account_id)
    await syncs.run("ItemCode;Unit\nA;PCS\nB;PCS\n")
    older = await imports.submit("itemCode\nC\nD\n", "items")
    run = await syncs.submit("ItemCode;Unit\nA;PCS\n", mode="full")
    while run.step != "apply":
        run = await syncs.slice(run)
    await imports.finish(older)
    run = await syncs.finish(run)
    assert (run.state, run.fail_code, set(await syncs.stored("items"))) == ("halted", "brake", {"A", "B", "C", "D"})
    assert run.fail_detail == "For `items`, `maxRemovedShare` is 0.5, but 3 of 4 records would be removed"
    run = await syncs.resume(run)
    assert (run.state, run.removed, set(await syncs.stored("items"))) == ("finished", 3, {"A"})


async def test_rows_that_failed_spare_what_they_name(syncs: SyncEngine) -> None:
    await syncs.run(ITEMS, FILTERS)
    run = await syncs.run(
        "ItemCode;SalesPrice;salesprice3\nA;cheap;1\nC;1;1\n",
        "ClassName;ClassValue;ItemCode;Sequence\nColor;Blue;C;x\nSize;L;C;1\nSize;M;D;1\n",
        mode="full", max_removed_share=None,
    )  # fmt: skip
    assert (run.state, run.failed) == ("finished", 3)
    items = await syncs.stored("items")
    assert set(items) == {"A", "C"}
    assert (items["A"]["salesPrice"], items["A"]["classValues"]) == ("9.95", ["Brand:Nike", "Color:Red"])
    assert items["C"]["classValues"] == ["Size:L"]
    assert set(await syncs.stored("item-prices")) == {"1:A", "2:A", "3:C"}
    assert set(await syncs.stored("price-lists")) == {"1", "2", "3"}
    assert set(await syncs.stored("item-class-values")) == {"Brand:Nike", "Color:Red", "Color:Blue", "Size:L"}
    problems = {(each["code"], each["column"]): each["samples"] for each in run.error_summary}
    assert problems[("unknown_reference", "ItemCode")][0] == {
        "file": "/itemfilters/a.csv", "line": 4, "row": 5, "value": "D"
    }  # fmt: skip
    assert problems[("type_error", "SalesPrice")][0]["file"] == "/items/a.csv"


@pytest.mark.parametrize(
    ("items", "filters"),
    [((), ()), ("ItemCode;Unit\n", ()), ("ItemCode;SalesPrice\nA;x\n;1\n", "ClassName;ClassValue;ItemCode\n;a;b\n")],
)
async def test_files_without_a_good_row_empty_nothing(syncs: SyncEngine, items: str, filters: str) -> None:
    await syncs.run(ITEMS, FILTERS)
    types = ("items", "item-prices", "price-lists", "item-classes", "item-class-values")
    before = [await syncs.stored(each) for each in types]
    run = await syncs.run(items, filters, mode="full", max_removed_share=None)
    assert (run.state, run.removed) == ("finished", 0)
    assert [await syncs.stored(each) for each in types] == before


async def test_items_that_stay_because_no_row_names_any_can_be_linked(syncs: SyncEngine) -> None:
    await syncs.run(ITEMS, FILTERS)
    filters = "ClassName;ClassValue;ItemCode\nColor;Red;B\nColor;Red;C\n"
    run = await syncs.run("ItemCode;Unit\n", filters, mode="full", max_removed_share=None)
    assert (run.state, run.created, run.failed, run.removed) == ("finished", 1, 1, 0)
    assert {key: each["classValues"] for key, each in (await syncs.stored("items")).items()} == {
        "A": [],
        "B": ["Color:Red"],
    }


async def test_a_full_sync_that_would_remove_too_much_is_halted(syncs: SyncEngine) -> None:
    await syncs.run("ItemCode;salesprice1\nA;1\nB;1\nC;1\n")
    run = await syncs.run("ItemCode;salesprice1\nA;1\n", mode="full")
    assert (run.state, run.fail_code, run.step) == ("halted", "brake", "apply")
    assert "2 of 3 records would be removed" in (run.fail_detail or "")
    assert "`items`" in (run.fail_detail or "")
    assert set(await syncs.stored("items")) == {"A", "B", "C"}
    done = await syncs.resume(run)
    assert (done.state, done.removed, set(await syncs.stored("items"))) == ("finished", 2, {"A"})


async def test_one_that_has_no_room_in_its_account_is_halted_before_it_writes(syncs: SyncEngine) -> None:
    """It creates two items, three prices and two price lists."""
    quota = "UPDATE accounts SET quotas = CAST(:quotas AS jsonb) WHERE id = :account"
    await syncs.sql(quota, quotas='{"records": 6}', account=syncs.account_id)
    run = await syncs.run(ITEMS)
    assert (run.state, run.fail_code, run.step) == ("halted", "record_quota", "apply")
    assert await syncs.stored("items") == {}
    assert (await syncs.resume(run)).state == "halted"
    await syncs.sql(quota, quotas='{"records": 7}', account=syncs.account_id)
    assert (await syncs.resume(run)).state == "finished"
    assert set(await syncs.stored("items")) == {"A", "B"}
    # The same files have been written by another sync meanwhile: then there is nothing to have room for.
    await syncs.sql(quota, quotas='{"records": 8}', account=syncs.account_id)
    more = ITEMS.replace(";nobody;1;1;1", "D;Sock;2;;")
    first = await syncs.run(more, dry_run=True)
    assert (await syncs.run(more)).state == "finished"
    halted = await syncs.resume(first)
    assert (halted.state, halted.fail_code) == ("halted", "plan_changed")
    assert (await syncs.resume(halted)).state == "finished"
    # What is removed makes room for what is created, as long as it is there.
    later = await syncs.run(more.replace("D;Sock", "E;Boot"), mode="full", max_removed_share=None, dry_run=True)
    assert (entities(later)["items"]["added"], later.removed) == (1, 1)
    await syncs.sql("UPDATE records SET key = 'F' WHERE account_id = :a AND key = 'D'", a=syncs.account_id)
    await syncs.sql("UPDATE records SET type = 'contacts' WHERE account_id = :a AND key = 'F'", a=syncs.account_id)
    halted = await syncs.resume(later, Brakes())
    assert (halted.state, halted.fail_code) == ("halted", "record_quota")
    await syncs.sql("DELETE FROM records WHERE account_id = :a AND key = 'F'", a=syncs.account_id)
    assert (await syncs.resume(halted, Brakes())).state == "finished"
    await syncs.sql(quota, quotas='{"records": 7}', account=syncs.account_id)
    await syncs.sql("DELETE FROM records WHERE account_id = :a AND key = 'E'", a=syncs.account_id)
    full = await syncs.run(ITEMS.replace("B;Cap", "C;Hat"), mode="full", max_removed_share=None)
    assert (full.state, set(await syncs.stored("items"))) == ("finished", {"A", "C"})


async def test_a_dry_run_is_planned_and_shows_what_it_would_do(syncs: SyncEngine) -> None:
    run = await syncs.run(ITEMS, FILTERS, dry_run=True)
    assert (run.state, entities(run)["items"]) == ("planned", {"added": 2, "skipped": 1})
    assert await syncs.stored("items") == {}
    assert (await syncs.resume(run)).state == "finished"
    assert set(await syncs.stored("items")) == {"A", "B"}


async def test_a_plan_that_somebody_was_shown_is_written_as_it_was_or_not_at_all(syncs: SyncEngine) -> None:
    await syncs.run("ItemCode;Unit;salesprice1\nA;PCS;1\nB;PCS;1\n")
    planned = await syncs.run("ItemCode;Unit;salesprice1\nA;BOX;2\nB;BOX;2\n", dry_run=True)
    assert entities(planned)["items"] == {"changed": 2}
    await syncs.run("ItemCode;Unit\nA;BAG\n")
    halted = await syncs.resume(planned)
    assert (halted.state, halted.fail_code) == ("halted", "plan_changed")
    assert halted.fail_detail == "Of `items`, 1 would be changed by now, and not 2"
    assert {each["unit"] for each in (await syncs.stored("items")).values()} == {"BAG", "PCS"}
    done = await syncs.resume(halted)
    assert (done.state, entities(done)["items"]) == ("finished", {"changed": 1, "skipped": 1})
    units = {key: each["unit"] for key, each in (await syncs.stored("items")).items()}
    assert units == {"A": "BAG", "B": "BOX"}


async def test_who_accepts_anything_gets_it_within_the_limits_that_he_gives(syncs: SyncEngine) -> None:
    await syncs.run("ItemCode;Unit;salesprice1\nA;PCS;1\nB;PCS;1\n")
    planned = await syncs.run("ItemCode;Unit;salesprice1\nA;BOX;2\nB;BOX;2\n", dry_run=True)
    await syncs.run("ItemCode;Unit\nA;BAG\n")
    halted = await syncs.resume(planned, Brakes(max_updated=0))
    assert (halted.state, halted.fail_code) == ("halted", "brake")
    assert halted.fail_detail.endswith("For `items`, `maxUpdated` is 0, but 1 would be changed")
    await syncs.run("ItemCode;Unit\nB;BAG\n")
    done = await syncs.resume(halted, Brakes(max_updated=2))
    assert (done.state, entities(done)["items"]) == ("finished", {"skipped": 2})


async def test_a_file_that_cannot_be_read_fails_the_sync_and_changes_nothing(syncs: SyncEngine) -> None:
    run = await syncs.run({"a.csv": ITEMS, "b.csv": "Unit\nPCS\n"})
    assert (run.state, run.fail_code) == ("failed", "unreadable_file")
    assert run.fail_detail == "The file `/items/b.csv` cannot be read. Column `ItemCode` is required"
    assert await syncs.stored("items") == {}


async def test_any_size_of_batches_comes_to_the_same(syncs: SyncEngine) -> None:
    """Also through several slices, in the middle of files."""
    small = syncs.with_settings(batch_rows=1, slice_seconds=0.0)
    for mode in ("incremental", "full"):
        run = await small.run({"a.csv": ITEMS, "b.csv": "ItemCode;Unit\nB;BOX\nA;\n"}, FILTERS, mode=mode)
        assert (run.state, run.total, run.failed) == ("finished", 8, 0), run.fail_detail
        assert (await syncs.stored("items"))["B"]["unit"] == "BOX"
        assert (await syncs.stored("items"))["A"]["classValues"] == ["Brand:Nike", "Color:Red"]
        assert len(await syncs.stored("item-prices")) == 3


async def test_links_that_a_record_cannot_hold_are_told_and_the_item_keeps_what_it_has(syncs: SyncEngine) -> None:
    await syncs.run("ItemCode\nA\n", "ClassName;ClassValue;ItemCode\nColor;Red;A\n")
    values = "".join(f"Size;{number:>0200};A\n" for number in range(6_000))
    run = await syncs.run((), f"ClassName;ClassValue;ItemCode\n{values}")
    assert [(each["code"], each["count"]) for each in run.warnings] == [("too_many_links", 1)]
    assert (await syncs.stored("items"))["A"]["classValues"] == ["Color:Red"]


async def test_an_accounts_own_type_of_the_name_is_left_alone(syncs: SyncEngine) -> None:
    """It was declared before there was a built-in one."""
    async with syncs.runtime.database.transaction() as session:
        declaration = {"key": "nr", "fields": [{"id": "nr", "type": "text"}]}
        await types.put(session, syncs.account_id, "items", declaration)
    run = await syncs.run(ITEMS)
    assert (run.state, run.fail_code) == ("failed", "type_taken")
    assert "`items`" in (run.fail_detail or "")
