"""What the beginning of a file shows before it is imported."""

import gzip
from typing import Any

import msgspec
import pytest

from app.errors import Refused
from app.formats.records import Limits
from app.imports.plan import ReadOptions
from app.imports.preview import preview_file
from app.imports.preview_json import preview_to_json
from app.imports.sources.head import HEAD_BYTES, FileHead, HeadReader
from app.mappings.declaring.declaration import parse_mapping
from app.resources.declare import parse_resource
from app.resources.registry import BUILT_IN

LIMITS = {"limit": 52_428_800, "ratio": 200}


def read_head(data: bytes, encoding: str | None = None, *, piece: int = 65_536) -> FileHead:
    reader = HeadReader(encoding, **LIMITS)
    for at in range(0, len(data), piece):
        reader.feed(data[at : at + piece])
    return reader.finish(None)


def preview(data: bytes, type: str = "contacts", read: ReadOptions | None = None) -> Any:
    found = preview_file(read_head(data), BUILT_IN[type], read or ReadOptions(), limits=Limits())
    return preview_to_json(found, type)


def test_a_file_is_read_mapped_and_checked() -> None:
    file = "E-Mail;Vorname;Punkte;Notiz\nana@example.com;Ana;1;\nbob;Bob;2;x\nana2@example.com;;drei;y\n"
    shown = preview(file.encode("cp1252"))
    assert shown["dialect"] == {"format": "csv", "delimiter": ";", "encoding": "utf-8", "hasHeader": True}
    assert [each.get("field") for each in shown["columns"]] == ["_email", "_name", "_points", None]
    assert shown["columns"][0]["samples"] == ["ana@example.com", "bob", "ana2@example.com"]
    assert (shown["whole"], shown["rows"], shown["checked"], shown["failed"]) == (True, 3, True, 2)
    assert [(each["column"], each["count"]) for each in shown["problems"]] == [("E-Mail", 1), ("Punkte", 1)]
    assert shown["missing"] == []
    assert shown["mapping"] == {
        "type": "contacts",
        "hasHeader": True,
        "columns": [
            {"column": "E-Mail", "field": "_email"},
            {"column": "Vorname", "field": "_name"},
            {"column": "Punkte", "field": "_points"},
            {"column": "Notiz", "ignore": True},
        ],
        "options": {"delimiter": ";", "encoding": "utf-8"},
    }


def test_an_encoding_that_nobody_names_is_found() -> None:
    text = "E-Mail,Prénom\nana@example.com,Chloé\n"
    for encoding in ("utf-8", "windows-1252", "utf-16-le"):
        shown = preview(text.encode(encoding))
        assert shown["dialect"]["encoding"] == encoding
        assert shown["columns"][1]["samples"] == ["Chloé"]


def test_what_is_required_and_not_filled_is_told() -> None:
    shown = preview(b"SKU,Name\nA1,Chair\n", "products")
    assert shown["missing"] == [["productDetailUrl"], ["unitPrice"]]
    assert shown["checked"]
    without_key = preview(b"Vorname\nAna\n")
    assert without_key["missing"] == [["_email", "_externalId"]]
    assert (without_key["checked"], without_key["failed"]) == (False, 0)


def test_a_key_that_only_stored_records_know_is_no_problem() -> None:
    fields = [{"id": "key", "type": "text"}, {"id": "name", "type": "text"}]
    resource = parse_resource("things", {"key": "key", "fields": fields, "generateKey": True})
    found = preview_file(read_head(b"key,name\n1,a\n,b\n"), resource, ReadOptions(), limits=Limits())
    assert (found.missing, found.checked, found.problems) == ([], True, [])


def test_members_of_json_lines_are_fields_by_their_id_alone() -> None:
    shown = preview(b'{"_email": "ana@example.com", "Vorname": "Ana"}\n{"_email": "x", "_points": 3}\n')
    assert [(each["column"], each.get("field")) for each in shown["columns"]] == [
        ("_email", "_email"),
        ("Vorname", None),
        ("_points", "_points"),
    ]
    assert (shown["rows"], shown["failed"]) == (2, 1)


def test_at_most_1000_rows_of_the_first_256_kib_are_looked_at() -> None:
    rows = b"".join(b"a%d@example.com,Ana\n" % number for number in range(3_000))
    shown = preview(b"_email,_name\n" + rows)
    assert (shown["whole"], shown["rows"], shown["failed"]) == (True, 1_000, 0)
    wide = b"_email,_name\n" + b"".join(b"a%d@example.com,%s\n" % (number, b"n" * 990) for number in range(900))
    shown = preview(wide)
    assert (shown["whole"], shown["failed"]) == (False, 0)
    assert 250 < shown["rows"] < 265


def test_the_cut_falls_behind_a_row_and_not_into_a_quoted_cell() -> None:
    cell = b'"' + b"line\n" * 1_000 + b'"'
    file = b"_email,_name\n" + b"".join(b"a%d@example.com,%s\n" % (number, cell) for number in range(60))
    assert preview(file)["problems"] == []
    assert preview(file[:HEAD_BYTES])["problems"] == []


def test_only_the_beginning_of_a_packed_file_is_unpacked() -> None:
    text = b"_email\n" + b"".join(b"a%d@example.com\n" % number for number in range(50_000))
    packed = gzip.compress(text)
    head = read_head(packed)
    assert not head.whole
    assert HEAD_BYTES - 100 < len(head.data) < HEAD_BYTES + 65_536
    assert read_head(packed[: len(packed) // 2]).data.startswith(b"_email\n")
    assert preview(gzip.compress(b"_email\nana@example.com\n"))["whole"]


def test_cells_that_have_to_be_converted_are_checked_as_they_would_be() -> None:
    file = "SKU;Name;Preis;Link;publishedAt;isBlacklisted;Tags\n" + "".join(
        f"A{day};x;1.234,5{day};https://e.example/{day};{day + 10}.03.2026 08:30;{'JN'[day % 2]};a,b\n"
        for day in range(1, 6)
    )
    shown = preview(file.encode(), "products")
    assert {each["field"]: each.get("conversions") for each in shown["columns"]} == {
        "productId": None,
        "name": None,
        "unitPrice": {"decimalComma": True},
        "productDetailUrl": None,
        "publishedAt": {"dateFormat": "DD.MM.YYYY HH:mm"},
        "isBlacklisted": {"values": {"N": "false", "J": "true"}},
        "tags": {"separator": ","},
    }
    assert shown["mapping"]["columns"][2] == {"column": "Preis", "field": "unitPrice", "decimalComma": True}
    assert (shown["checked"], shown["failed"], shown["problems"]) == (True, 0, [])


def test_a_file_without_a_header_is_mapped_by_position() -> None:
    rows = "".join(f"ana{number}@example.com;Ana;+3465123456{number}\n" for number in range(4))
    shown = preview(rows.encode())
    assert (shown["dialect"]["hasHeader"], shown["rows"]) == (False, 4)
    assert [each["column"] for each in shown["columns"]] == ["Column 1", "Column 2", "Column 3"]
    assert shown["mapping"]["columns"] == [
        {"position": 0, "field": "_email"},
        {"position": 1, "ignore": True},
        {"position": 2, "field": "_mobilePhone"},
    ]
    assert (shown["checked"], shown["failed"]) == (True, 0)
    assert preview(b"Foo,Bar,2026\n1,2,3\n")["dialect"]["hasHeader"]


def test_a_heading_that_is_there_twice_is_mapped_by_position_the_second_time() -> None:
    shown = preview(b"Email,Name,Email\na@example.com,Ana,b@example.com\n")
    assert shown["mapping"]["columns"] == [
        {"column": "Email", "field": "_email"},
        {"column": "Name", "field": "_name"},
        {"position": 2, "ignore": True},
    ]
    assert parse_mapping(shown["mapping"])


def test_what_a_mapping_says_counts_and_the_rest_is_proposed() -> None:
    columns = [
        {"column": "Mail", "field": "_externalId", "trim": True},
        {"column": "Nachname", "ignore": True},
    ]
    mapping = parse_mapping({"columns": columns, "constants": {"_points": 5}, "options": {"blankCells": "clear"}})
    head = read_head(b"Mail,Nachname,Vorname\n x ,Ruiz,Ana\n")
    found = preview_file(head, BUILT_IN["contacts"], ReadOptions(), limits=Limits(), mapping=mapping)
    shown = preview_to_json(found, "contacts", mapping)
    assert [(each.get("field"), each.get("reason")) for each in shown["columns"]] == [  # type: ignore[attr-defined]
        ("_externalId", "template"),
        (None, None),
        ("_name", "synonym"),
    ]
    proposed: Any = shown["mapping"]
    assert proposed["columns"] == [*columns, {"column": "Vorname", "field": "_name"}]
    assert proposed["options"] == {"blankCells": "clear", "delimiter": ",", "encoding": "utf-8"}
    assert msgspec.json.decode(msgspec.json.encode(proposed["constants"])) == {"_points": 5}
    assert found.failed == 0


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n", "unreadable_file"),
        (b"PK\x03\x04" + b"\0" * 100, "unreadable_file"),
        (b'"never closed\n', "unreadable_file"),
        (gzip.compress(b"_email\n", mtime=0)[:-4], "unreadable_file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_an_import_of_it_would_be(file: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        preview(file)
    assert refused.value.code == code
