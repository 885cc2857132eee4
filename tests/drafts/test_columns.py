"""What becomes of the columns of a draft's file: guessed, chosen, checked, and what stands in the way."""

from typing import Any

from app.drafts.columns.choice import ColumnChoice, check_choice
from app.drafts.columns.review import ColumnReview, review_draft
from app.drafts.columns.verdict import find_blocks, find_warnings
from app.mappings.declaring.declaration import parse_mapping
from app.resources.registry import BUILT_IN
from app.runtime import Runtime
from tests.drafts.conftest import NewDraft

PRICES = (
    "SKU;Bezeichnung;Preis;Notiz\n" + "".join(f"A-{n};Hut;1{n},50;\n" for n in range(10)) + "B;Mütze;viel;x\n"
).encode()
PRODUCTS = {"type": "products"}


async def test_columns_are_guessed_and_shown_as_they_would_be_stored(runtime: Runtime, a_draft: NewDraft) -> None:
    review = await review_draft(runtime, await a_draft(PRICES, "prices.csv", choices=PRODUCTS))
    sku, name, price, note = review.columns
    assert [each.choice.field for each in review.columns] == ["productId", "name", "unitPrice", None]
    assert [(each.state, each.needs_somebody) for each in (sku, name, price, note)] == [
        ("mapped", False),
        ("mapped", False),
        ("mapped", True),
        ("open", True),
    ]
    assert price.choice.conversions == {"decimalComma": True}
    assert [each.json for each in price.preview.stored] == ["10.50", "11.50", "12.50"]
    assert [group["count"] for group in price.problems] == [1]
    assert [each.name for each in review.needy] == ["Preis", "Notiz"]


async def test_what_is_chosen_counts_and_is_a_mapping(runtime: Runtime, a_draft: NewDraft) -> None:
    draft = await a_draft(PRICES, "prices.csv", choices=PRODUCTS)
    chosen = {2: ColumnChoice(""), 3: ColumnChoice("description", {"trim": True})}
    review = await review_draft(runtime, draft, chosen)
    assert review.body["columns"] == [
        {"column": "SKU", "field": "productId"},
        {"column": "Bezeichnung", "field": "name"},
        {"column": "Preis", "ignore": True},
        {"column": "Notiz", "field": "description", "trim": True},
    ]
    parse_mapping(dict(review.body))
    # Once chosen nothing is guessed again, and what is left open stays so.
    again = await a_draft(PRICES, "prices.csv", choices=PRODUCTS | {"mapping": {**review.body, "columns": [SKU]}})
    settled = await review_draft(runtime, again)
    assert [each.choice.field for each in settled.columns] == ["productId", None, None, None]
    assert settled.columns[1].guess is not None


async def test_how_a_column_is_read_is_guessed_for_the_field_that_it_is_given(
    runtime: Runtime, a_draft: NewDraft
) -> None:
    """Once: what somebody takes back afterwards stays so."""
    draft = await a_draft(b"Mail;Bis\na@example.org;31.12.2026\n", "until.csv", choices={"type": "contacts"})
    chosen = {0: ColumnChoice("_email"), 1: ColumnChoice("_birthdate")}
    review = await review_draft(runtime, draft, chosen)
    assert review.columns[1].choice.conversions == {"dateFormat": "DD.MM.YYYY"}
    assert not review.columns[1].needs_somebody

    stored = await a_draft(
        b"Mail;Bis\na@example.org;31.12.2026\n", "until.csv", choices={"type": "contacts", "mapping": dict(review.body)}
    )
    assert (await review_draft(runtime, stored, chosen)).columns[1].choice.conversions == {}
    spelt = {1: ColumnChoice("_birthdate", {"dateFormat": "MM/DD/YYYY"})}
    assert (await review_draft(runtime, draft, spelt)).columns[1].choice.conversions == {"dateFormat": "MM/DD/YYYY"}


async def test_columns_that_are_called_like_fields_become_them_also_the_ids_that_are_made_here(
    runtime: Runtime, a_draft: NewDraft
) -> None:
    """As an import without a template would have it: else rows that name a record would make another one."""
    file = b"ID;Title;Name;Price\nx1;Hat;Hut;9,50\n"
    review = await review_draft(runtime, await a_draft(file, "shop.csv", choices={"type": "shop-products"}))
    assert [each.choice.field for each in review.columns] == ["_id", "title", None, "price"]
    assert [each.unsure for each in review.columns] == [True, False, False, False]
    assert review.columns[3].choice.conversions == {"decimalComma": True}


SKU = {"column": "SKU", "field": "productId"}


async def test_members_of_json_lines_and_columns_without_a_header_become_fields_too(
    runtime: Runtime, a_draft: NewDraft
) -> None:
    lines = b'{"mail": "ana@example.com", "age": 3}\n{"mail": "bob@example.com", "age": "x"}\n'
    draft = await a_draft(lines, "people.jsonl", choices={"type": "contacts"})
    chosen = {0: ColumnChoice("_email"), 1: ColumnChoice("_points")}
    members = await review_draft(runtime, draft, chosen)
    assert members.body["columns"] == [{"column": "mail", "field": "_email"}, {"column": "age", "field": "_points"}]
    assert [each.json for each in members.columns[1].preview.stored] == ["3", ""]
    assert [group["count"] for group in members.columns[1].problems] == [1]

    bare = {"type": "contacts", "hasHeader": False}
    review = await review_draft(runtime, await a_draft(b"ana@example.com,Ana\nb@example.com,Bob\n", choices=bare))
    assert [each.name for each in review.columns] == ["Column 1", "Column 2"]
    chosen = {0: ColumnChoice("_email"), 1: ColumnChoice("_name")}
    review = await review_draft(runtime, await a_draft(b"ana@example.com,Ana\n", choices=bare), chosen)
    assert review.body == {
        "hasHeader": False,
        "columns": [{"position": 0, "field": "_email"}, {"position": 1, "field": "_name"}],
    }
    assert list(find_blocks(review, None)) == []


async def blocks(runtime: Runtime, a_draft: NewDraft, columns: list[dict[str, Any]], **more: Any) -> list[str]:
    choices = {"type": "contacts", "mapping": {"columns": columns}}
    draft = await a_draft(b"Mail,Name,First\nana@example.com,Ana,Ana\n", choices=choices)
    return [each.reason for each in find_blocks(await review_draft(runtime, draft), more.get("unknown"))]


MAIL = {"column": "Mail", "field": "_email"}
NAMES = [{"column": "Name", "field": "_name"}, {"column": "First", "field": "_name"}]
IGNORED = [{"column": "Name", "ignore": True}, {"column": "First", "ignore": True}]


async def test_what_cannot_work_is_told_with_the_rows_that_it_is_about(runtime: Runtime, a_draft: NewDraft) -> None:
    (no_key,) = await blocks(runtime, a_draft, [NAMES[0]])
    assert no_key.startswith("No column becomes `_email`")
    (twice,) = await blocks(runtime, a_draft, [MAIL, *NAMES])
    assert twice.startswith("Columns `Name` and `First` become `_name` alike")
    (only_key,) = await blocks(runtime, a_draft, [MAIL])
    assert only_key.startswith("Only the key is mapped")
    # Whoever has decided about every column may want that: new contacts have an address and nothing else.
    assert await blocks(runtime, a_draft, [MAIL, *IGNORED]) == []
    (left_open,) = await blocks(runtime, a_draft, [MAIL, NAMES[0]], unknown="error")
    assert "`First`" in left_open


def warnings(review: ColumnReview) -> list[str]:
    return list(find_warnings(review, None))


async def test_what_may_surprise_somebody_is_told(runtime: Runtime, a_draft: NewDraft) -> None:
    file = b"Mail,Name\nana@example.com,Ana\n"
    alone = {"type": "contacts", "mapping": {"columns": [MAIL, IGNORED[0]]}}
    (told,) = warnings(await review_draft(runtime, await a_draft(file, choices=alone)))
    assert told.startswith("Only the key is mapped")
    by_id = {"type": "shop-products", "mapping": {"columns": [{"column": "ID", "field": "_id"}]}}
    told = warnings(await review_draft(runtime, await a_draft(b"ID,Weight\n,1\n", choices=by_id)))[0]
    assert told == "No column becomes `title`. Rows that would make a new record fail without it"


def test_a_choice_is_checked_as_a_mapping_is() -> None:
    products = BUILT_IN["products"]
    given = {"decimalComma": True, "dateFormat": "DD.MM.YYYY", "nullMarker": "n/a"}
    kept = check_choice(0, "Preis", "unitPrice", given, products)
    assert (kept.choice.conversions, kept.complaints) == ({"decimalComma": True, "nullMarker": "n/a"}, ())
    bad = check_choice(4, "Datum", "publishedAt", {"dateFormat": "TT.MM.JJJJ", "trim": True}, products)
    assert bad.choice == ColumnChoice("publishedAt", {"trim": True})
    assert [each.path for each in bad.complaints] == ["dateFormat-4"]
    worse = check_choice(1, "Aktiv", "isBlacklisted", {"values": {"J": "ja"}}, products)
    assert [each.path for each in worse.complaints] == ["values-1"]
    (unknown,) = check_choice(2, "X", "nothing", {}, products).complaints
    assert unknown.path == "field-2"
