"""Files of products: every example of the vendor's page, and what each kind of cell is stored as."""

import csv
import io
import json
from typing import Any

import pytest

from tests.surfaces.cordial.conftest import Cordial

HEADER = (
    "productID,productName,productType,price,sale.enabled,category,inStock,url,properties.style,variants.0.sku,"
    "variants.0.qty,variants.0.attr.color,images.0,images.1,tags.0,tags.1,tags.2"
)
ROW = (
    "exampleProduct1,exampleProduct1,physical,10,0,shirts,1,http://mydomain.com,oxford,123456,2000,blue,"
    "image.jpg,image2.jpg,shirts,oxford,blue"
)
WHOLE = {
    "productID": "exampleProduct1",
    "productName": "exampleProduct1",
    "productType": "physical",
    "price": 10,
    "sale": {"enabled": False},
    "category": "shirts",
    "inStock": True,
    "url": "http://mydomain.com",
    "properties": {"style": "oxford"},
    "variants": [{"sku": "123456", "qty": 2000, "attr": {"color": "blue"}}],
    "images": ["image.jpg", "image2.jpg"],
    "tags": ["shirts", "oxford", "blue"],
}
STAPLER = {
    "productID": "AC30",
    "productName": "Acme-30 Stapler",
    "price": 14.95,
    "category": "office_supplies",
    "productType": "physical",
}


# The examples of the vendor's page


async def test_the_smallest_file_is_imported(cordial: Cordial) -> None:
    job = await cordial.imported("productID,productName\nexampleProduct1,exampleProduct1\n")
    assert (job["status"], job["inserted"]) == ("Done", 1)
    assert await cordial.product("exampleProduct1") == {
        "productID": "exampleProduct1",
        "productName": "exampleProduct1",
    }


async def test_a_file_with_every_kind_of_column_is_imported(cordial: Cordial) -> None:
    job = await cordial.imported(f"{HEADER}\n{ROW}\n")
    assert job["inserted"] == 1
    assert await cordial.product("exampleProduct1") == WHOLE


async def test_columns_name_the_cells_of_a_file_without_a_header(cordial: Cordial) -> None:
    columns = json.dumps(HEADER.split(","))
    job = await cordial.imported(f"{ROW}\n", hasHeader=None, columns=columns)
    assert (job["inserted"], job["totalItems"]) == (1, 1)
    assert await cordial.product("exampleProduct1") == WHOLE


async def test_columns_replace_a_header_that_is_skipped(cordial: Cordial) -> None:
    job = await cordial.imported("a,b,c\nP1,One,1\n,Two,2\n", columns="productID,productName,price")
    assert (job["inserted"], job["rejected"]) == (1, 1)
    assert await cordial.problems(job) == [(3, "missing_key", None)]
    assert await cordial.product("P1") == {"productID": "P1", "productName": "One", "price": 1}


async def test_json_lines_are_imported(cordial: Cordial) -> None:
    skirt = {
        "productID": "skirt0912",
        "productName": "Denim Skirt",
        "price": 19.99,
        "variants": [{"sku": "skirt0912", "attr": {"color": "blue", "size": "8"}}],
    }
    pants = {
        "productID": "pants0910",
        "productName": "Khaki Pants",
        "price": 29.99,
        "variants": [{"sku": "pants0910", "attr": {"color": "khaki", "size": "34"}}],
    }
    job = await cordial.lines(skirt, pants)
    assert job["inserted"] == 2
    assert await cordial.product("skirt0912") == skirt
    assert await cordial.product("pants0910") == pants


async def test_the_update_rules_as_the_page_shows_them(cordial: Cordial) -> None:
    assert await cordial.save(**STAPLER) == "product created"
    csv = '"productID","productName","price","category","productType"\n"AC30","Acme-30 Stapler","15.99","ignore",""\n'
    job = await cordial.imported(csv, nullMarker="ignore")
    assert (job["updated"], job["rejected"]) == (1, 0)
    assert await cordial.product("AC30") == STAPLER | {"price": 15.99, "productType": ""}


# Cells


async def test_an_empty_cell_empties_a_text_and_nulls_a_number(cordial: Cordial) -> None:
    await cordial.save(**STAPLER, inStock=True, tags=["a", "b"])
    await cordial.imported("productID,productName,price,category,inStock,tags.1\nAC30,Acme-30 Stapler,,,,\n")
    found = await cordial.product("AC30")
    assert found == STAPLER | {"price": None, "category": "", "inStock": None, "tags": ["a", ""]}


async def test_an_empty_null_marker_skips_empty_cells(cordial: Cordial) -> None:
    await cordial.save(**STAPLER)
    await cordial.imported("productID,productName,price,category\nAC30,,,\n", nullMarker="")
    assert await cordial.product("AC30") == STAPLER


async def test_a_null_marker_in_the_key_or_the_name_of_a_new_product_fails_the_row(cordial: Cordial) -> None:
    job = await cordial.imported("productID,productName\nno,One\nP2,no\nP3,Three\n", nullMarker="no")
    assert await cordial.problems(job) == [(2, "missing_key", None), (3, "required", "productName")]
    assert job["inserted"] == 1


async def test_a_name_cannot_be_emptied(cordial: Cordial) -> None:
    await cordial.save(**STAPLER)
    job = await cordial.imported("productID,productName\nAC30,\n")
    assert await cordial.problems(job) == [(2, "required", "productName")]


async def test_every_bad_cell_of_a_row_is_reported(cordial: Cordial) -> None:
    job = await cordial.imported("productID,productName,price,productType,inStock,variants.0.qty\nP1,One,x,odd,2,y\n")
    told = [(code, column) for _, code, column in await cordial.problems(job)]
    assert told == [
        ("type_error", "price"),
        ("not_an_option", "productType"),
        ("type_error", "inStock"),
        ("type_error", "variants.0.qty"),
    ]


async def test_the_last_of_rows_with_the_same_product_wins(cordial: Cordial) -> None:
    job = await cordial.imported("productID,productName,price\nP1,One,1\nP1,One,2\n")
    assert (job["inserted"], job["updated"], job["duplicate"]) == (1, 1, 1)
    assert (await cordial.product("P1"))["price"] == 2


async def test_numbers_keep_their_digits(cordial: Cordial) -> None:
    await cordial.imported("productID,productName,price\n007,Bond,12345678901234567890.10\n")
    answer = await cordial.ask("GET", "/v2/products/007")
    assert '"price":12345678901234567890.10' in answer.text


# Lists


async def test_lists_are_merged_by_position(cordial: Cordial) -> None:
    await cordial.save(**STAPLER, variants=[{"sku": "a", "qty": 1}, {"sku": "b", "qty": 2}], images=["1", "2", "3"])
    await cordial.imported("productID,productName,variants.1.sku,images.0\nAC30,Acme-30 Stapler,B,one\n")
    found = await cordial.product("AC30")
    assert found["variants"] == [{"sku": "a", "qty": 1}, {"sku": "B", "qty": 2}]
    assert found["images"] == ["one", "2", "3"]


async def test_only_an_existing_product_may_get_a_gap_in_a_list(cordial: Cordial) -> None:
    await cordial.save(**STAPLER, tags=["a"])
    job = await cordial.imported("productID,productName,tags.2\nAC30,Acme-30 Stapler,c\nP2,Two,c\n")
    assert await cordial.problems(job) == [(3, "position_gap", "tags.2")]
    assert (await cordial.product("AC30"))["tags"] == ["a", None, "c"]


async def test_a_null_marker_may_make_a_gap(cordial: Cordial) -> None:
    csv = "productID,productName,tags.0,tags.1\nP1,One,-,b\nP2,Two,a,-\n"
    job = await cordial.imported(csv, nullMarker="-")
    assert await cordial.problems(job) == [(2, "position_gap", "tags.1")]
    assert (await cordial.product("P2"))["tags"] == ["a"]


async def test_a_gap_in_json_fails_its_row(cordial: Cordial) -> None:
    job = await cordial.lines({"productID": "P1", "productName": "One", "variants": [{}, {"sku": "b"}]})
    assert await cordial.problems(job) == [(1, "position_gap", "variants.1")]


# JSON Lines


async def test_a_number_for_an_id_is_a_text_and_null_clears(cordial: Cordial) -> None:
    await cordial.lines({"productID": 12, "productName": "Twelve", "price": 1.50, "inStock": 1, "category": "x"})
    await cordial.lines({"productID": "12", "price": None, "category": None, "inStock": False})
    assert await cordial.product("12") == {
        "productID": "12",
        "productName": "Twelve",
        "price": None,
        "category": None,
        "inStock": False,
    }


async def test_properties_keep_their_types(cordial: Cordial) -> None:
    properties = {"style": "oxford", "sizes": [1, 2.50, "L"], "deep": {"er": {"flag": True}}, "none": None}
    await cordial.lines({"productID": "P1", "productName": "One", "properties": properties})
    assert (await cordial.product("P1"))["properties"] == properties
    await cordial.lines({"productID": "P1", "properties": {"deep": {"er": {"more": 1}}}})
    assert (await cordial.product("P1"))["properties"] == properties | {"deep": {"er": {"flag": True, "more": 1}}}


async def test_a_null_marker_means_nothing_in_json(cordial: Cordial) -> None:
    job = await cordial.imported('{"productID":"P1","productName":"no"}', "p.jsonl", nullMarker="no")
    assert job["inserted"] == 1
    assert (await cordial.product("P1"))["productName"] == "no"


async def test_members_that_no_product_has_are_named(cordial: Cordial) -> None:
    job = await cordial.lines(
        {"productID": "P1", "productName": "One", "colour": "red", "sale": {"percent": 5}},
        {"productID": "P2", "productName": "Two", "variants": [{"skew": "x"}], "tags": "a"},
        {"productID": "P3", "productName": "Three", "sale.enabled": True, "sale": {"enabled": False}},
        {"productID": "P4", "productName": "Four", "properties": {"a" * 256: 1}},
        {"productID": "P5", "productName": "Five", "properties": {str(n): n for n in range(2_000)}},
        {"productID": "P6", "productName": "Six", "variants": [], "properties": {}},
    )
    assert await cordial.problems(job) == [
        (1, "unknown_column", "colour"),
        (1, "unknown_column", "sale.percent"),
        (2, "type_error", "tags"),
        (2, "unknown_column", "variants.0.skew"),
        (3, "duplicate_member", None),
        (4, "path_too_long", None),
        (5, "too_many_members", None),
    ]
    assert job["inserted"] == 1


async def test_a_position_has_at_most_three_digits(cordial: Cordial) -> None:
    assert (await cordial.send("productID,productName,tags.1000\nP1,One,x\n")).status_code == 422
    job = await cordial.imported("productID,productName,tags.0\nP1,One,x\n")
    job = await cordial.imported("productID,productName,tags.999\nP1,One,x\n")
    assert job["updated"] == 1
    assert len((await cordial.product("P1"))["tags"]) == 1_000


async def test_an_import_that_is_sent_again_changes_nothing(cordial: Cordial) -> None:
    product = {"productID": "P1", "productName": "One", "properties": {"a": [1, {"b": "c"}]}, "tags": ["x"]}
    await cordial.lines(product)
    before = await cordial.get("/v2/products/P1")
    await cordial.lines(product)
    assert await cordial.get("/v2/products/P1") == before


# Failed rows


async def failed_rows(cordial: Cordial, job: dict[str, Any]) -> str:
    answer = await cordial.ask("GET", f"/imports/{job['id']}/failed-rows.csv")
    assert answer.status_code == 200, answer.text
    return answer.content.decode("utf-8-sig")


async def test_failed_rows_of_nested_json_are_columns_and_import_once_corrected(cordial: Cordial) -> None:
    job = await cordial.lines(
        {"productID": "P0", "productName": "Fine"},
        {"productID": "P1", "productName": "One", "price": "x", "sale": {"enabled": 1}, "tags": ["a", "b"]},
        {"productID": "P2", "properties": {"size": 4.5}, "variants": [{"sku": "s", "attr": {}}]},
        {"productID": "P3", "properties": {"a" * 256: 1}},
    )
    assert (job["inserted"], job["rejected"]) == (1, 3)
    text = await failed_rows(cordial, job)
    header, first, second, third = csv.DictReader(io.StringIO(text)).fieldnames, *csv.DictReader(io.StringIO(text))
    assert header is not None
    assert header[-7:] == ["tags.0", "tags.1", "properties.size", "variants.0.sku", *header[-3:]]
    assert (first["sale.enabled"], first["tags.1"], first["_codes"]) == ("1", "b", "type_error")
    assert (second["properties.size"], second["_codes"]) == ("4.5", "required")
    assert (third["productID"], third["_codes"]) == ("", "path_too_long")
    assert '"productID":"P3"' in third["_messages"]
    corrected = text.splitlines()
    job = await cordial.imported("\n".join([corrected[0], corrected[1].replace("x", "1")]), nullMarker="")
    assert job["inserted"] == 1, await cordial.problems(job)
    assert await cordial.product("P1") == {
        "productID": "P1",
        "productName": "One",
        "price": 1,
        "sale": {"enabled": True},
        "tags": ["a", "b"],
    }


async def test_failed_rows_of_a_file_without_a_header_have_one(cordial: Cordial) -> None:
    job = await cordial.imported("P1,\nP2,Two\n", hasHeader="false", columns="productID,productName")
    text = await failed_rows(cordial, job)
    assert text.splitlines()[0] == "productID,productName,_line,_codes,_messages"
    job = await cordial.imported(text.replace("P1,", "P1,One"))
    assert job["inserted"] == 1


@pytest.mark.parametrize("has_header", ["false", "true"])
@pytest.mark.parametrize("report", ["with the problems", "without them", "by a spreadsheet"])
async def test_failed_rows_come_back_with_the_columns_of_the_first_file(
    cordial: Cordial, has_header: str, report: str
) -> None:
    options = {"hasHeader": has_header, "columns": "productID,productName,price"}
    header = "a,b,c\n" if has_header == "true" else ""
    job = await cordial.imported(f"{header}P1,,x\nP2,Two,2\n", **options)
    assert (job["inserted"], job["rejected"]) == (1, 1)
    rows = list(csv.reader(io.StringIO((await failed_rows(cordial, job)).replace("P1,,x", "P1,One,1"))))
    if report == "without them":
        rows = [row[:3] for row in rows]
    delimiter = ";" if report == "by a spreadsheet" else ","
    text = "".join(delimiter.join(json.dumps(cell) for cell in row) + "\r\n" for row in rows)

    job = await cordial.imported(text, **options)

    assert (job["inserted"], job["rejected"]) == (1, 0), await cordial.problems(job)
    assert await cordial.product("P1") == {"productID": "P1", "productName": "One", "price": 1}
