"""Products and tags of a shop: parents and tags by their names, defaults of new records, and the spellings of cells."""

import csv
import io
import json
import time
from collections.abc import Iterable
from typing import Any

import pytest

from app.mappings.declaring.declaration import parse_mapping
from app.resources.registry import BUILT_IN
from app.resources.sample import sample_csv
from app.runs.model import Run
from tests.engine.conftest import ImportEngine, law

TYPE = "shop-products"
CATALOGUE = """title,parentTitle,optionTitle,price
Boots,,,
Brown,Boots,Brown,
Brown 42,Brown,42,149.90
"""


async def stored(engine: ImportEngine, type: str = TYPE) -> dict[str, dict[str, Any]]:
    """The records by their titles or names."""
    rows = await engine.sql(
        "SELECT data::text AS data FROM records WHERE account_id = :id AND type = :type",
        id=engine.account_id,
        type=type,
    )
    found = [json.loads(row["data"]) for row in rows]
    return {record.get("title") or record["name"]: record for record in found}


def problems(run: Run) -> list[tuple[int, str, str | None]]:
    law(run)
    groups = [(each, sample["row"]) for each in run.error_summary for sample in each["samples"]]
    return sorted((row, each["code"], each["column"]) for each, row in groups)


def write_csv(records: Iterable[dict[str, Any]], type: str = TYPE) -> str:
    """The records as an export writes them: every field that is stored, under its id."""
    fields = [field for field in BUILT_IN[type].fields if not field.alias_of]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([field.id for field in fields])
    for record in records:
        values = {field.id: record.get(field.id) for field in fields}
        cells = {name: " || ".join(value) if isinstance(value, list) else value for name, value in values.items()}
        writer.writerow([str(cell).lower() if isinstance(cell, bool) else cell for cell in cells.values()])
    return text.getvalue()


@pytest.mark.parametrize("batch_rows", [1, 2, 1_000])
async def test_a_catalogue_is_loaded_from_one_file(engine: ImportEngine, batch_rows: int) -> None:
    run = await engine.with_settings(batch_rows=batch_rows).run(CATALOGUE, TYPE)
    found = await stored(engine)

    assert (run.created, problems(run)) == (3, [])
    assert "parentId" not in found["Boots"]
    assert found["Brown"]["parentId"] == found["Boots"]["_id"]
    assert found["Brown 42"]["parentId"] == found["Brown"]["_id"]
    assert not any("parentTitle" in record for record in found.values())


async def test_a_new_record_gets_what_its_row_leaves_out(engine: ImportEngine) -> None:
    await engine.run("title,slug,isVisible,taxable\nCrème brûlée,,,\nTea,Green Tea!,FALSE,1\n!!!,,0,no\n", TYPE)
    found = await stored(engine)
    defaults = {
        "isVisible": True,
        "taxable": False,
        "inventoryManagement": True,
        "inventoryPolicy": True,
        "lowInventoryWarningThreshold": 0,
        "isDeleted": False,
    }

    assert found["Crème brûlée"] == defaults | {
        "_id": found["Crème brûlée"]["_id"],
        "title": "Crème brûlée",
        "slug": "creme-brulee",
    }
    assert (found["Tea"]["slug"], found["Tea"]["isVisible"], found["Tea"]["taxable"]) == ("green-tea", False, True)
    assert "slug" not in found["!!!"]


async def test_an_update_changes_only_what_its_row_fills(engine: ImportEngine) -> None:
    await engine.run("title,isVisible,price\nBoots,false,5\n", TYPE)
    before = (await stored(engine))["Boots"]
    run = await engine.run(f"_id,title,isVisible,price,slug\n{before['_id']},Shoes,,,\n", TYPE)

    assert run.updated == 1
    assert await stored(engine) == {"Shoes": before | {"title": "Shoes"}}


async def test_whatever_is_stored_survives_an_export(engine: ImportEngine) -> None:
    await engine.run("name\nOutdoor\nSale\n", "tags")
    await engine.run("name,parentTagSlug,isVisible\nBoots,outdoor,false\n", "tags")
    assert (await engine.run(sample_csv(BUILT_IN[TYPE]), TYPE)).created == 3
    await engine.run("title,tagSlugs,isDeleted,weight\nRope,sale || outdoor,true,1.50\n", TYPE)

    for name in (TYPE, "tags"):
        records = await stored(engine, name)
        again = await engine.run(write_csv(records.values(), name), name)
        assert (again.unchanged, again.total) == (len(records), len(records)), again.error_summary


async def test_an_id_wins_over_a_title(engine: ImportEngine) -> None:
    await engine.run("title\nBoots\nShoes\n", TYPE)
    shoes = (await stored(engine))["Shoes"]["_id"]
    run = await engine.run(f"title,parentId,parentTitle\nA,{shoes},Boots\nB,{shoes},None\nC,none,Boots\n", TYPE)
    found = await stored(engine)

    assert found["A"]["parentId"] == found["B"]["parentId"] == shoes
    assert problems(run) == [(3, "unknown_reference", "parentId")]


async def test_a_parent_that_is_not_there_or_not_the_only_one_fails_the_row(engine: ImportEngine) -> None:
    await engine.run("title\nTwins\nTwins\nBoots\n", TYPE)
    run = await engine.run("title,parentTitle\nA,Nobody\nB,Twins\nC, Boots \nD,C\nE,A\nF,Later\nLater,\nG,  \n", TYPE)
    found = await stored(engine)

    assert found["C"]["parentId"] == found["Boots"]["_id"]
    assert "parentId" not in found["G"]
    assert problems(run) == [
        (1, "unknown_reference", "parentTitle"),
        (2, "ambiguous_reference", "parentTitle"),
        (4, "required", None),
        (5, "unknown_reference", "parentTitle"),
        (6, "unknown_reference", "parentTitle"),
    ]


async def test_a_title_that_an_earlier_row_has_changed_is_found_no_more(engine: ImportEngine) -> None:
    await engine.run("title\nBoots\n", TYPE)
    key = (await stored(engine))["Boots"]["_id"]
    run = await engine.run(f"_id,title,parentTitle\n{key},Shoes,\n,A,Boots\n,B,Shoes\n", TYPE)
    later = await engine.run("title,parentTitle\nC,Boots\nD,Shoes\n", TYPE)

    assert problems(run) == [(2, "unknown_reference", "parentTitle")]
    assert problems(later) == [(1, "unknown_reference", "parentTitle")]
    assert {(await stored(engine))[title]["parentId"] for title in "BD"} == {key}


async def test_a_title_is_found_after_its_record_was_written_twice_in_one_batch(engine: ImportEngine) -> None:
    await engine.run("title\nBoots\n", TYPE)
    key = (await stored(engine))["Boots"]["_id"]
    await engine.run(f"_id,title\n{key},One\n{key},Two\n", TYPE)
    run = await engine.run("title,parentTitle\nA,Boots\nB,One\nC,Two\n", TYPE)

    assert problems(run) == [(1, "unknown_reference", "parentTitle"), (2, "unknown_reference", "parentTitle")]


@pytest.mark.parametrize("title", ["\u2003Boots", "Boots\u00a0", "Boots\t", "Bo  ots", "Cafe\u0301", "\U0001f97e", "0"])
async def test_a_title_finds_its_record_if_it_is_written_in_the_same_way(engine: ImportEngine, title: str) -> None:
    run = await engine.with_settings(batch_rows=2).run(f"title,parentTitle\n{title},\nA,{title}\nB,{title}\n", TYPE)
    assert (run.created, problems(run)) == (3, [])


async def test_a_mapping_names_parents_and_tags_by_columns_of_its_own(engine: ImportEngine) -> None:
    await engine.run("name\nSale\nOutdoor\n", "tags")
    columns = [
        {"column": "Art-ID", "field": "_id"},
        {"column": "Artikel", "field": "title", "trim": True},
        {"column": "Oberartikel", "field": "parentTitle", "values": {"-": ""}},
        {"column": "Gruppen", "field": "tagSlugs", "separator": ","},
        {"column": "Preis", "field": "price", "decimalComma": True},
        {"column": "Sichtbar", "field": "isVisible", "values": {"J": "true", "N": "false"}},
    ]
    mapping = parse_mapping({"columns": columns, "constants": {"vendor": "Alpina"}})
    file = (
        "Art-ID;Artikel;Oberartikel;Gruppen;Preis;Sichtbar\n;Boots;-;sale,Outdoor;;J\n; Red;Boots;;1,50;N\n;Blue;;;2;\n"
    )
    run = await engine.run(file, TYPE, delimiter=";", mapping=mapping)
    found = await stored(engine)
    update = f"Art-ID;Preis\n{found['Red']['_id']};9,99\n"
    again = await engine.run(update, TYPE, delimiter=";", mapping=parse_mapping({"columns": columns}))

    assert (run.created, problems(run)) == (3, [])
    assert found["Red"]["parentId"] == found["Boots"]["_id"]
    assert (len(found["Boots"]["tagIds"]), found["Red"]["vendor"], found["Red"]["isVisible"]) == (2, "Alpina", False)
    assert again.updated == 1
    assert (await stored(engine))["Red"]["price"] == 9.99


async def test_long_titles_that_begin_alike_stay_apart(engine: ImportEngine) -> None:
    one, other = (("x" * 3_000 + each) for each in "ab")
    await engine.run(f"title\n{one}\n{other}\n", TYPE)
    run = await engine.run(f"title,parentTitle\nA,{other}\nB,{'x' * 3_000}\n", TYPE)

    found = await stored(engine)
    assert found["A"]["parentId"] == found[other]["_id"]
    assert problems(run) == [(2, "unknown_reference", "parentTitle")]


@pytest.mark.parametrize("batch_rows", [1, 1_000])
async def test_an_option_needs_its_title_and_a_variant_does_not(engine: ImportEngine, batch_rows: int) -> None:
    small = engine.with_settings(batch_rows=batch_rows)
    first = await small.run("title,parentTitle,optionTitle\nBoots,,\nBrown,Boots,\n42,Brown,\n43,Brown,43\n", TYPE)
    brown = (await stored(engine))["Brown"]["_id"]
    second = await small.run(f"title,parentId\n44,{brown}\n", TYPE)
    lines = await small.run(json.dumps({"title": "45", "parentId": brown}), TYPE, format="jsonl")

    assert [(row, code) for row, code, _ in problems(first)] == [(3, "required")]
    assert [(row, code) for row, code, _ in problems(second)] == [(1, "required")]
    assert lines.failed == 1
    assert first.error_summary[0]["field"] == "optionTitle"
    assert (await stored(engine)).keys() == {"Boots", "Brown", "43"}


async def test_tags_are_named_by_id_or_slug(engine: ImportEngine) -> None:
    await engine.run("name\nSummer Sale\nOutdoor\n", "tags")
    tags = {name: tag["_id"] for name, tag in (await stored(engine, "tags")).items()}
    rows = [
        "A,,summer-sale || Outdoor,",
        f"B,{tags['Outdoor']},summer-sale,",
        "C,,outdoor || winter,",
        f"D,{tags['Outdoor']} || nothing,,",
        f"E,{tags['Outdoor']} || {tags['Summer Sale']},,",
    ]
    run = await engine.run("\n".join(["title,tagIds,tagSlugs,price", *rows]), TYPE)
    found = await stored(engine)

    assert found["A"]["tagIds"] == [tags["Summer Sale"], tags["Outdoor"]]
    assert found["B"]["tagIds"] == [tags["Outdoor"]]
    assert found["E"]["tagIds"] == [tags["Outdoor"], tags["Summer Sale"]]
    assert problems(run) == [(3, "unknown_reference", "tagSlugs"), (4, "unknown_reference", "tagIds")]
    assert [each["samples"][0]["value"] for each in run.error_summary] == ["winter", "nothing"]


async def test_tags_form_a_tree(engine: ImportEngine) -> None:
    run = await engine.run("name,slug,parentTagSlug\nOutdoor,,\nBoots,Big Boots,Outdoor\nLaces,,big-boots\n", "tags")
    found = await stored(engine, "tags")

    assert (run.created, problems(run)) == (3, [])
    assert found["Boots"]["parentTagId"] == found["Outdoor"]["_id"]
    assert found["Laces"]["parentTagId"] == found["Boots"]["_id"]
    assert (found["Boots"]["slug"], found["Outdoor"]["isVisible"]) == ("big-boots", True)
    assert not any("parentTagSlug" in tag for tag in found.values())


async def test_a_parent_is_cleared_as_any_field_is(engine: ImportEngine) -> None:
    await engine.run(CATALOGUE, TYPE)
    before = await stored(engine)
    brown, small = before["Brown"]["_id"], before["Brown 42"]["_id"]
    kept = await engine.run(f"_id,parentTitle\n{brown},\n", TYPE)
    await engine.run(f"_id,parentId,parentTitle\n{brown},,\n{small},{brown},\n", TYPE, blank_cells="clear")
    found = await stored(engine)

    assert kept.unchanged == 1
    assert found["Brown"]["parentId"] is None
    assert found["Brown 42"]["parentId"] == brown


async def test_cells_are_spelled_as_the_document_says(engine: ImportEngine) -> None:
    rows = [
        ("A", "Material : oak || Rule : a : b", "https://a.example/1.jpg || https://a.example/2.jpg", "1,5"),
        ("B", "Material: oak", "", ""),
        ("C", "", "/images/relative.jpg", ""),
        ("D", " : oak", "", "NaN"),
    ]
    text = io.StringIO()
    csv.writer(text).writerows([("title", "metafields", "images", "price"), *rows])
    run = await engine.run(text.getvalue(), TYPE)
    lines = [
        {"title": "E", "metafields": ["Material : oak"], "taxable": True, "weight": 1.5},
        {"title": "F", "metafields": ["oak"]},
        {"title": "G", "taxable": "maybe"},
    ]
    objects = await engine.run("\n".join(map(json.dumps, lines)), TYPE, format="jsonl")

    assert problems(run) == [
        (1, "type_error", "price"),
        (2, "type_error", "metafields"),
        (3, "type_error", "images"),
        (4, "type_error", "metafields"),
        (4, "type_error", "price"),
    ]
    assert problems(objects) == [(2, "type_error", "metafields"), (3, "type_error", "taxable")]
    good = await engine.run(text.getvalue().replace('"1,5"', "1.5").replace("NaN", "2"), TYPE)
    assert good.created == 1
    found = await stored(engine)
    assert found["A"]["metafields"] == ["Material : oak", "Rule : a : b"]
    assert found["A"]["images"] == ["https://a.example/1.jpg", "https://a.example/2.jpg"]
    assert found["E"]["metafields"] == ["Material : oak"]


async def test_constants_take_the_place_of_defaults_and_name_records_too(engine: ImportEngine) -> None:
    await engine.run("title\nBoots\n", TYPE)
    await engine.run("name\nSale\n", "tags")
    tag = (await stored(engine, "tags"))["Sale"]["_id"]
    constants = {"isVisible": "false", "parentTitle": '"Boots"', "tagSlugs": '["sale"]', "taxable": "null"}
    run = await engine.run("title\nA\n", TYPE, constants=constants)
    found = await stored(engine)

    assert (run.created, problems(run)) == (1, [])
    assert (found["A"]["isVisible"], found["A"]["taxable"]) == (False, None)
    assert (found["A"]["parentId"], found["A"]["tagIds"]) == (found["Boots"]["_id"], [tag])
    assert not found["A"].keys() & {"parentTitle", "tagSlugs"}


@pytest.mark.parametrize("null", ["null", '""', "[]"])
async def test_objects_that_name_nothing_are_no_references(engine: ImportEngine, null: str) -> None:
    names = f'"parentTitle": {null if null != "[]" else "null"}, "tagSlugs": {null}, "tagIds": {null}'
    run = await engine.run(f'{{"title": "A", {names}}}\n{{"title": "B", {names}}}\n', TYPE, format="jsonl")

    assert (run.created, problems(run)) == (2, [])
    assert not (await stored(engine))["A"].keys() & {"parentTitle", "tagSlugs"}


async def test_a_row_may_name_fifty_thousand_tags_that_do_not_exist(engine: ImportEngine) -> None:
    rows = [{"title": "A", "tagSlugs": [f"t{number}" for number in range(50_000)]}, {"title": "B"}]
    began = time.process_time()
    run = await engine.run("\n".join(map(json.dumps, rows)), TYPE, format="jsonl")

    assert (run.created, problems(run)) == (1, [(1, "unknown_reference", "tagSlugs")])
    assert time.process_time() - began < 20, "each name is compared with every other"
