"""What the beginning of a file shows before it is imported."""

import gzip
from typing import Any

import pytest

from app.errors import Refused
from app.formats.records import Limits
from app.imports.plan import ReadOptions
from app.imports.preview import preview_file, preview_to_json
from app.imports.sources.head import HEAD_BYTES, FileHead, HeadReader
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
    assert shown["dialect"] == {"format": "csv", "delimiter": ";", "encoding": "utf-8"}
    assert [each.get("field") for each in shown["columns"]] == ["_email", "_name", "_points", None]
    assert shown["columns"][0]["samples"] == ["ana@example.com", "bob", "ana2@example.com"]
    assert (shown["whole"], shown["rows"], shown["checked"], shown["failed"]) == (True, 3, True, 2)
    assert [(each["column"], each["count"]) for each in shown["problems"]] == [("E-Mail", 1), ("Punkte", 1)]
    assert shown["missing"] == []
    assert shown["mapping"] == {
        "type": "contacts",
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


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n", "unreadable_file"),
        (b"PK\x03\x04" + b"\0" * 100, "unreadable_file"),
        (b'"never closed\n', "unreadable_file"),
        (gzip.compress(b"_email\n")[:-4], "unreadable_file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_an_import_of_it_would_be(file: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        preview(file)
    assert refused.value.code == code
