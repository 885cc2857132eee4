"""How the format and the delimiter of a file are detected if the request does not name them."""

import pytest

from app.errors import Refused
from app.formats.records import Dialect
from app.formats.sniff import detect_dialect, sniff_delimiter


@pytest.mark.parametrize(
    ("declared", "name", "head", "found"),
    [
        ("csv", "x.jsonl", b"{}", "csv"),
        ("JSONL", "x.csv", b"a,b", "jsonl"),
        ("ndjson", None, b"", "jsonl"),
        ("tsv", None, b"", "csv"),
        (None, "x.csv", b"{}", "csv"),
        (None, "X.TXT", b"{}", "csv"),
        (None, "a.b.jsonl", b"a,b", "jsonl"),
        (None, "x.NDJSON.gz", b"a,b", "jsonl"),
        (None, "x.json", b"a,b", "jsonl"),
        (None, "x.tsv.gz", b"{}", "csv"),
        (None, "x.dat", b' \n{"a":1}', "jsonl"),
        (None, "x.dat", b"a,b", "csv"),
        (None, None, b'{"a":1}', "jsonl"),
        (None, None, b"", "csv"),
    ],
)
def test_the_format_comes_from_the_request_the_file_name_or_the_content(
    declared: str | None, name: str | None, head: bytes, found: str
) -> None:
    assert detect_dialect(head, declared_format=declared, file_name=name, delimiter="auto").format == found


@pytest.mark.parametrize(
    ("head", "delimiter"),
    [
        (b"a,b\n1,2\n", ","),
        (b"a;b\n1;2\n", ";"),
        (b"a\tb\n1\t2\n", "\t"),
        (b"a|b\n1|2\n", "|"),
        (b"a\r1\r2\r", ","),
        (b"", ","),
        (b"name\nMiller; Anna\n", ","),
        (b"a;b;c\n1,5;2,5;x, y\n2,5;3,5;z, w\n", ";"),
        (b'a;b\n"x, y, z";"1"\n"x";2\n', ";"),
        (b'a,b\n"x;y;z","1;2"\n', ","),
        (b"a,b;c\n1,2;3\n4;5\n6;7\n8;9\n", ";"),
        (b"a;b,c\n1;2,3\n", ","),
        (b"a|b;c|d\n1|2;3|4\n", "|"),
        (b"a;b\n1;2\n3\n4;5\n", ";"),
        (b'a;b\n1;"2\n3;4\n', ";"),
    ],
)
def test_the_delimiter_is_the_one_that_fits_most_records(head: bytes, delimiter: str) -> None:
    assert sniff_delimiter(head) == delimiter


def test_a_last_line_that_is_cut_short_does_not_count() -> None:
    row = b"x,y,z;1\n"
    assert sniff_delimiter((b"a;b\n" + row * 10_000)[:65_536]) == ";"


def test_a_declared_delimiter_is_taken_as_it_is() -> None:
    found = detect_dialect(b"a,b", declared_format=None, file_name=None, delimiter="|")
    assert found == Dialect("csv", "|")
    assert detect_dialect(b"a,b", declared_format=None, file_name=None, delimiter="tab").delimiter == "\t"


@pytest.mark.parametrize("delimiter", ["", ",,", "x", '"', "\n"])
def test_an_unknown_delimiter_is_refused(delimiter: str) -> None:
    with pytest.raises(Refused) as refusal:
        detect_dialect(b"a,b", declared_format=None, file_name=None, delimiter=delimiter)
    assert refusal.value.complaints[0].path == "delimiter"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        detect_dialect(b"a,b", declared_format="xlsx", file_name=None, delimiter="auto")
    assert refusal.value.complaints[0].path == "format"
