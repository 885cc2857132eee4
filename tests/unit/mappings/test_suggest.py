"""Which field a column is proposed for: by its name in several languages, and by what its cells look like."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.mappings.suggesting.field_names import EXACT, HIGH, LABEL, SHORTENED, SPELLED, SYNONYM, WEAK, reduce_name
from app.mappings.suggesting.proposals import ColumnCells, Proposal, propose_fields
from app.mappings.suggesting.synonyms import SYNONYMS
from app.resources.declare import parse_resource
from app.resources.registry import BUILT_IN
from app.resources.schema import Resource

CORPUS = Path(__file__).parents[2] / "corpus/headers.toml"
CONTACTS, PRODUCTS, CUSTOMERS = (BUILT_IN[name] for name in ("contacts", "products", "customers"))


def propose(resource: Resource, **columns: list[str]) -> dict[str, Proposal]:
    """By heading. Underscores in the names of arguments stand for blanks."""
    cells = [ColumnCells(name.replace("_", " "), index, values) for index, (name, values) in enumerate(columns.items())]
    return {each.column.heading: each for each in propose_fields(cells, resource).values()}


def answers(header: dict[str, Any]) -> Iterator[tuple[str, str, Proposal | None]]:
    """The headings of one file, each with the right field and the proposed one."""
    named = [text.partition(" -> ") for text in header["columns"]]
    values = header.get("values", {})
    columns = [ColumnCells(heading, index, values.get(heading, ())) for index, (heading, _, _) in enumerate(named)]
    proposed = propose_fields(columns, BUILT_IN[header["type"]])
    for index, (heading, _, right) in enumerate(named):
        yield heading, right, proposed.get(index)


def test_headers_of_shops_erp_systems_and_mailing_tools_are_understood() -> None:
    headers = tomllib.loads(CORPUS.read_text())["header"]
    assert len(headers) >= 70
    assert len({header["language"] for header in headers}) >= 5
    figures: Counter[str] = Counter()
    for header in headers:
        keys = BUILT_IN[header["type"]].keys
        for heading, right, proposal in answers(header):
            field = proposal.field.id if proposal else ""
            verdict = ("right" if field else "rightly open") if field == right else "wrong" if field else "left open"
            figures[verdict] += 1
            sure = proposal is not None and proposal.name.confidence >= HIGH
            assert not (verdict == "wrong" and sure and field in keys), (header["system"], heading, field)
            figures["wrong and sure"] += verdict == "wrong" and sure
    print(dict(figures))
    assert figures["right"] >= 450
    assert figures["wrong"] <= 3
    assert figures["wrong and sure"] <= 1
    assert figures["left open"] <= 6


@pytest.mark.parametrize(
    ("resource", "heading", "field", "reason", "confidence"),
    [
        (PRODUCTS, "unitPrice", "unitPrice", "exact", EXACT),
        (PRODUCTS, "Product link", "productDetailUrl", "synonym", SYNONYM),
        (PRODUCTS, " UNIT_price ", "unitPrice", "spelling", SPELLED),
        (PRODUCTS, "PRICE", "unitPrice", "label", LABEL),
        (PRODUCTS, "unit-price-original", "unitPriceOriginal", "spelling", SPELLED),
        (CONTACTS, "Adresse e-mail", "_email", "synonym", SYNONYM),
        (CONTACTS, "E-MAIL-ADRESSE", "_email", "synonym", SYNONYM),
        (CONTACTS, "correo", "_email", "synonym", SYNONYM),
        (PRODUCTS, "Kategorien (a,b,c)", "categories", "synonym", SHORTENED),
        (CONTACTS, "Vorname 1", "_name", "synonym", SHORTENED),
        (CONTACTS, "Vornamme", "_name", "spelling", 0.7),
        (CONTACTS, "Name", "_name", "synonym", WEAK),
    ],
)
def test_the_reason_says_why_a_heading_means_its_field(
    resource: Resource, heading: str, field: str, reason: str, confidence: float
) -> None:
    (proposal,) = propose_fields([ColumnCells(heading, 0)], resource).values()
    assert (proposal.field.id, proposal.name.reason) == (field, reason)
    assert proposal.name.confidence == confidence


def test_of_two_columns_that_may_be_the_key_neither_is_sure() -> None:
    found = propose(PRODUCTS, SKU=["A1", "A2"], Artikelnummer=["1", "2"])
    assert found.keys() == {"SKU"}
    assert found["SKU"].name.confidence == WEAK
    assert found["SKU"].name.why.endswith("but `Artikelnummer` may be meant as well")


def test_a_key_whose_values_are_repeated_or_missing_is_not_sure() -> None:
    for values in (["A", "A", "A", "B"], ["A", "", "", ""]):
        proposal = propose(PRODUCTS, SKU=values)["SKU"]
        assert proposal.name.confidence < HIGH
        assert "repeated or missing" in proposal.name.why


def test_an_id_that_the_service_makes_is_taken_by_its_own_name_alone() -> None:
    assert propose(CUSTOMERS, ID=["1", "2"])["ID"].field.id == "source_id"
    assert propose(CUSTOMERS, id=["cus_1", "cus_2"])["id"].field.id == "source_id"
    assert propose(CUSTOMERS, id=["cust_1", "cust_2"])["id"].field.id == "id"


def test_a_column_whose_values_are_not_valid_is_left_open() -> None:
    assert propose(CONTACTS, Email=["ana", "bob", "eva"]) == {}
    assert propose(CONTACTS, Email=["ana@example.com", "bob", "eva@example.com"])["Email"].name.confidence == LABEL


def test_a_required_field_gets_the_column_that_may_be_it() -> None:
    assert propose(PRODUCTS, SKU=["A1"], Description=["A chair"])["Description"].field.id == "name"
    found = propose(PRODUCTS, SKU=["A1"], Title=["Chair"], Description=["A chair"])
    assert (found["Title"].field.id, found["Description"].field.id) == ("name", "description")


def test_values_speak_only_where_one_column_and_one_field_fit() -> None:
    addresses = ["ana@example.com", "bob@example.org", "eva@example.net"]
    found = propose(CONTACTS, Spalte=addresses, Other=["1", "2", "3"])
    assert (found["Spalte"].field.id, found["Spalte"].name.reason) == ("_email", "values")
    assert found["Spalte"].name.confidence == WEAK
    assert "Other" not in found
    assert propose(CONTACTS, Spalte=addresses, Zweite=addresses) == {}
    assert propose(CONTACTS, Spalte=addresses[:2]) == {}


def test_fields_of_an_own_type_are_found_by_id_label_and_meaning() -> None:
    fields = [
        {"id": "sku", "type": "text"},
        {"id": "mail", "type": "email"},
        {"id": "f7", "type": "decimal", "label": "Price"},
        {"id": "colour", "type": "text", "label": "Farbe"},
    ]
    resource = parse_resource("things", {"key": "sku", "fields": fields})
    found = propose(resource, Artikelnummer=[], Correo=[], Verkaufspreis=[], FARBE=[])
    assert {heading: each.field.id for heading, each in found.items()} == {
        "Artikelnummer": "sku",
        "Correo": "mail",
        "Verkaufspreis": "f7",
        "FARBE": "colour",
    }
    assert propose(resource, SKU_=[], sku=[])["sku"].name.reason == "exact"


def test_no_column_is_proposed_for_a_field_that_is_settled() -> None:
    columns = [ColumnCells("Email", 0), ColumnCells("Mail", 1)]
    assert propose_fields(columns, CONTACTS, {0: "_email"}) == {}


def test_every_field_among_the_synonyms_exists() -> None:
    for synonyms in SYNONYMS.values():
        for declared in filter(None, synonyms.fields.split("; ")):
            name, _, field = declared.partition(".")
            assert BUILT_IN[name].field(field) is not None, declared
        assert all(map(reduce_name, synonyms.words.split(";"))), synonyms.words
