"""How the columns of a file are found: by a caller's mapping, by the default one, and by those of vendors."""

import pytest

from app.errors import Refused
from app.mappings.columns import find_columns, list_fields
from app.mappings.declaring.declaration import parse_mapping
from app.mappings.mapping import MappedColumn, Mapping
from app.resources.schema import Field, Resource

TYPE = Resource(
    "stock",
    ("sku",),
    (
        Field("sku", "text", "Article number", required=True),
        Field("unitPrice", "decimal", "Price", required=True),
        Field("price", "decimal"),
        Field("note", "text", "Straße"),
        Field("madeAt", "datetime", read_only=True),
    ),
)
DEFAULT = Mapping(matching="loose")
SUPPLIER = parse_mapping(
    {
        "columns": [
            {"column": "Art. Nr.", "field": "sku"},
            {"column": "Preis", "field": "unitPrice"},
            {"column": "Notiz", "field": "note"},
            {"column": "Lager", "ignore": True},
            {"position": 4, "field": "price"},
        ]
    }
)


def find(mapping: Mapping, *header: str) -> dict[str, tuple[str, str | None]]:
    found = find_columns(header, TYPE, mapping)
    return {column.heading: (column.field, column.found) for column in found.columns}


def complaints(mapping: Mapping, *header: str, **options: object) -> list[str]:
    with pytest.raises(Refused) as refused:
        find_columns(header, TYPE, mapping, **options)  # type: ignore[arg-type]
    return [each.reason for each in refused.value.complaints]


def test_the_default_finds_ids_then_labels_then_what_looks_the_same() -> None:
    assert find(DEFAULT, "sku", "Price") == {"sku": ("sku", "exact"), "Price": ("unitPrice", "label")}
    assert find(DEFAULT, "SKU", "UNITPRICE", "price") == {
        "SKU": ("sku", "loose"),
        "UNITPRICE": ("unitPrice", "loose"),
        "price": ("price", "exact"),
    }
    # A heading that is an id but for its case is that, and not the label that it also resembles.
    assert find(DEFAULT, "article  NUMBER", "unitPrice", "PRICE")["PRICE"] == ("price", "loose")
    assert find(DEFAULT, "sku", "unitPrice", "STRASSE")["STRASSE"] == ("note", "loose")


@pytest.mark.parametrize(
    "heading", ["art. nr.", " Art.  Nr. ", "ART.\u00a0NR.", "A\u200brt. Nr.", "Ａｒｔ． Ｎｒ．", "Art. Nr.\ufeff"]
)
def test_a_mapping_finds_headings_that_look_the_same(heading: str) -> None:
    assert find(SUPPLIER, heading, "Preis")[heading] == ("sku", "loose")


def test_unicode_forms_are_one() -> None:
    mapping = parse_mapping(
        {"columns": [{"column": "Prix unitaire é", "field": "unitPrice"}, {"column": "n", "field": "sku"}]}
    )
    assert find(mapping, "n", "prix unitaire e\u0301")["prix unitaire e\u0301"] == ("unitPrice", "loose")


def test_a_mapping_knows_nothing_but_its_own_columns() -> None:
    found = find_columns(("sku", "Art. Nr.", "Preis", "Lager", "?"), TYPE, SUPPLIER)
    assert [(column.heading, column.field, column.found) for column in found.columns] == [
        ("Art. Nr.", "sku", "exact"),
        ("Preis", "unitPrice", "exact"),
        ("?", "price", "position"),
    ]
    assert found.ignored == (3,)
    assert [(each.heading, each.code) for each in found.warned] == [
        ("sku", "unknown_column"),
        ("Notiz", "missing_column"),
    ]


def test_a_column_without_a_heading_is_found_by_its_position() -> None:
    assert find(SUPPLIER, "Art. Nr.", "Preis", "", "", "") == {
        "Art. Nr.": ("sku", "exact"),
        "Preis": ("unitPrice", "exact"),
        "Column 5": ("price", "position"),
    }


def test_a_header_that_differs_from_its_mapping_is_refused_with_what_is_new_and_what_is_missing() -> None:
    assert complaints(SUPPLIER, "Art. Nr.", "Preis neu", "Farbe") == [
        "Column `Preis` is required, because it fills `unitPrice`",
        (
            "The file lacks `Preis`, `Notiz`, `Column 5`, which the mapping names, and has `Preis neu`, `Farbe`, "
            "which it does not"
        ),
    ]
    bare = parse_mapping({"columns": [{"column": "A", "field": "note"}]})
    assert complaints(bare, "A") == [
        "The mapping must have a column that fills `sku`",
        "The mapping must have a column that fills `unitPrice`",
    ]


def test_unknown_columns_are_refused_in_words_of_the_mapping() -> None:
    assert complaints(SUPPLIER, "Art. Nr.", "Preis", "Notitz", unknown="error") == [
        "The mapping has no column `Notitz`. Did you mean `Notiz`?",
        "The file lacks `Notiz`, `Column 5`, which the mapping names, and has `Notitz`, which it does not",
    ]


def test_a_column_is_not_kept_under_the_name_of_a_field() -> None:
    """It would be stored as text, whatever the field requires."""
    (reason, *_) = complaints(SUPPLIER, "Art. Nr.", "Preis", "note", unknown="keep")
    assert reason.startswith("The mapping has no column `note`, and it cannot be kept")


def test_two_columns_of_the_file_that_look_the_same_are_refused() -> None:
    assert complaints(SUPPLIER, "Art. Nr.", "Preis", "PREIS")[0] == (
        "Two columns fill the field `unitPrice`: `Preis` (column 2) and `PREIS` (column 3)"
    )


def test_the_rules_of_vendors_stay_as_they_are() -> None:
    """Connectif's headings are exact; Voucherify's differ in case at most. Labels are ours."""
    assert find(Mapping(), "sku", "unitPrice", "Price", "PRICE").keys() == {"sku", "unitPrice"}
    vendor = Mapping((MappedColumn("Sku", "sku"), MappedColumn("Cost", "unitPrice")), "caseless")
    found = find_columns(("SKU", "cost", "Cost ", "Cost  x"), TYPE, vendor)
    assert [column.heading for column in found.columns] == ["SKU", "cost"]
    assert {each.code for each in found.warned} == {"unknown_column"}


def test_read_only_fields_are_ignored_with_a_warning() -> None:
    found = find_columns(("sku", "unitPrice", "madeAt"), TYPE, DEFAULT)
    assert [(each.heading, each.code) for each in found.warned] == [("madeAt", "read_only_column")]


def test_members_of_json_lines_are_named_by_the_mapping() -> None:
    mapping = parse_mapping({"columns": [{"column": "nr", "field": "sku"}, {"column": "p", "field": "unitPrice"}]})
    assert [(each.heading, each.field) for each in list_fields(TYPE, mapping)] == [("nr", "sku"), ("p", "unitPrice")]
    with pytest.raises(Refused) as refused:
        list_fields(TYPE, SUPPLIER)
    assert refused.value.detail == "JSON Lines have no Column 5: name its member with `column`"


def test_finding_the_columns_of_a_wide_file_takes_no_time_to_speak_of() -> None:
    """Two thousand headings, none of them exact; compared one by one with all names they would take minutes."""
    columns = [{"column": f"Ü {number}", "field": f"f{number}"} for number in range(2_000)]
    wide = Resource("wide", ("f0",), tuple(Field(f"f{number}", "text") for number in range(2_000)))
    header = [f"u\u0308  {number}" for number in range(2_000)]
    found = find_columns(header, wide, parse_mapping({"columns": columns}))
    assert len(found.columns) == 2_000
    assert {column.found for column in found.columns} == {"loose"}
