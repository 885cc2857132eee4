"""Delimited files whose column names come from the request and not from their first line."""

import io

import pytest

from app.errors import Refused
from app.formats import open_reader
from app.formats.records import Dialect, Limits, Reader
from tests.corpus.reading import read_all


def reader(data: bytes, *columns: str, has_header: bool) -> Reader:
    return open_reader(io.BytesIO(data), Dialect("csv", columns=columns, has_header=has_header), Limits())


def test_without_a_header_the_first_row_is_data() -> None:
    found = reader(b"\n1,a\n2,b\n", " id ", "name", has_header=False)
    assert found.header == ("id", "name")
    assert found.count() == 2
    rows = read_all(found)
    assert (rows.records, rows.places) == ([["1", "a"], ["2", "b"]], [(1, 2), (2, 3)])


def test_given_columns_replace_the_header() -> None:
    found = reader(b'"x\ny",' + b"z" * 300 + b",w\n1,a\n2\n", "id", "name", has_header=True)
    assert (found.header, found.count()) == (("id", "name"), 2)
    rows = read_all(found)
    assert (rows.records, rows.places) == ([["1", "a"]], [(1, 3)])
    assert [(each.line, each.code) for each in rows.unreadable] == [(4, "missing_cell")]


def test_a_file_of_blank_lines_has_no_rows() -> None:
    found = reader(b"\n\r\n", "id", has_header=False)
    assert found.count() == 0
    assert read_all(found).records == []


@pytest.mark.parametrize("rows", [1, 2, 20_000])
def test_reading_goes_on_from_any_batch(rows: int) -> None:
    data = b'1,"a\nb"\n2\n3,c\n4,"d\n5,e\n'
    whole = read_all(reader(data, "id", "name", has_header=False))
    parts = read_all(reader(data, "id", "name", has_header=False), rows=rows)
    assert (parts.records, parts.places, parts.unreadable) == (whole.records, whole.places, whole.unreadable)


@pytest.mark.parametrize("columns", [("a" * 256,), ("a",) * 2_001])
def test_column_names_that_cannot_be_used_are_refused(columns: tuple[str, ...]) -> None:
    with pytest.raises(Refused):
        reader(b"1\n", *columns, has_header=False)


def test_columns_without_names_have_numbers() -> None:
    found = reader(b"\n1,a\n2,b\n", has_header=False)
    assert found.header == ("Column 1", "Column 2")
    assert read_all(found).records == [["1", "a"], ["2", "b"]]
    with pytest.raises(Refused, match="The first row has a quote that is not closed"):
        reader(b'"1\n', has_header=False)


def test_json_lines_have_no_columns() -> None:
    dialect = Dialect("jsonl", columns=("id",), has_header=False)
    found = read_all(open_reader(io.BytesIO(b'{"name":"a"}\n'), dialect, Limits()))
    assert found.records == [{"name": "a"}]


def test_a_refused_column_name_can_be_shown_whatever_it_contains() -> None:
    with pytest.raises(Refused) as refusal:
        reader(b"1\n", "\ud800\n" + "a" * 300, has_header=False)
    assert refusal.value.detail.replace("…", "").encode().isascii()
    assert "\n" not in refusal.value.detail
