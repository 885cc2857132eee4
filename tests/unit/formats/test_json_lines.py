"""JSON Lines: one object per line, digits kept, and a reason for every line that is not an object."""

from decimal import Decimal

import pytest

from app.formats.records import Dialect, Limits, UnreadableRow
from tests.corpus.reading import Everything, read_all, reader_of

JSONL = Dialect("jsonl")


def read(data: bytes, limits: Limits | None = None) -> Everything:
    return read_all(reader_of(data, JSONL, limits))


def bad_line(line: bytes) -> UnreadableRow:
    """How one line between two good ones is reported."""
    found = read(b'{"a":1}\n' + line + b'\n{"a":2}\n')
    assert found.records == [{"a": Decimal(1)}, {"a": Decimal(2)}]
    assert found.places == [(1, 1), (3, 3)]
    (bad,) = found.unreadable
    assert (bad.row, bad.line, bad.cells) == (2, 2, ())
    return bad


def test_objects_are_read_with_every_kind_of_value() -> None:
    line = '{"text":"ä😀","yes":true,"no":null,"list":[1,"x"],"deep":{"b":{}}}\n'.encode()
    (record,) = read(line).records
    expected = {"text": "ä😀", "yes": True, "no": None, "list": [Decimal(1), "x"], "deep": {"b": {}}}
    assert record == expected


@pytest.mark.parametrize("digits", ["0.1", "1.10", "-0", "12345678901234567890.123456789", "1E+2", "9" * 5_000])
def test_a_number_keeps_its_digits(digits: str) -> None:
    (record,) = read(b'{"n":' + digits.encode() + b"}").records
    assert isinstance(record, dict)
    assert isinstance(record["n"], Decimal)
    assert str(record["n"]) == digits


def test_blank_lines_are_not_rows_and_line_ends_may_be_crlf() -> None:
    reader = reader_of(b'\n \t\r\n{"a":"1"}\r\n\r\n{"a":"2"}\n  ', JSONL)
    found = read_all(reader, rows=1)
    assert found.records == [{"a": "1"}, {"a": "2"}]
    assert found.places == [(1, 3), (2, 5)]
    assert reader.count() == 2
    assert reader.header == ()


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (b"[1]", "json_error", "it is a list"),
        (b"null", "json_error", "it is null"),
        (b"true", "json_error", "it is a boolean"),
        (b"12", "json_error", "it is a number"),
        (b'"x"', "json_error", "it is a string"),
        (b'{"a":1', "json_error", "character 7"),
        (b'{"a":1} {"b":2}', "json_error", "Extra data"),
        (b'{"a":NaN}', "json_error", "NaN is not allowed in JSON"),
        (b'{"a":-Infinity}', "json_error", "-Infinity is not allowed in JSON"),
        (b'{"a":1e99999999999999999999}', "json_error", "exponent"),
        (b"{'a':1}", "json_error", "double quotes"),
        (b'{"a":1,"b":{"c":1,"c":2}}', "duplicate_member", "has the member `c` more than once"),
        (b'{"a":"\xe9"}', "encoding_error", "Byte 0xE9 at position 7 of the row is not valid utf-8"),
        (b'{"a":"\x00"}', "invalid_character", "U+0000"),
        (b'{"a":"x\\u0000"}', "invalid_character", "U+0000"),
        (b'{"a":["\\ud800"]}', "invalid_character", "U+D800"),
        (b'{"a":{"\\udfff":1}}', "invalid_character", "U+DFFF"),
        (b'{"a":"\xed\xa0\x80"}', "invalid_character", "U+D800"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep", "32 levels"),
        (b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "too_deep", "32 levels"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep", "32 levels"),
        (b'{"a":"' + b"x" * 1_048_576 + b'"}', "record_too_long", "1048576 bytes"),
    ],
)
def test_a_line_that_is_not_a_good_object_is_reported(line: bytes, code: str, words: str) -> None:
    bad = bad_line(line)
    assert bad.code == code
    assert words in bad.message
    assert len(bad.raw) <= 1_024


def test_the_whole_of_a_bad_line_is_kept_when_asked_for() -> None:
    lines = b'{"a":"' + b"x" * 5_000 + b"\n" + b"z" * 2_000_000 + b"\n"
    open_, long = read_all(reader_of(lines, JSONL, Limits(raw_characters=None))).unreadable
    assert open_.raw == '{"a":"' + "x" * 5_000
    assert long.raw == "z" * 1_024


def test_a_pair_of_escapes_is_one_character() -> None:
    assert read(b'{"a":"\\ud83d\\ude00"}').records == [{"a": "😀"}]


def test_the_deepest_allowed_object_is_read() -> None:
    assert len(read(b'{"a":' * 32 + b"1" + b"}" * 32).records) == 1


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(read(b'{"a":[' + b",".join([b"[]"] * 100) + b"]}").records) == 1


def test_a_long_line_of_white_space_is_blank() -> None:
    reader = reader_of(b'{"a":"1"}\n' + b" " * 2_000_000 + b'\n{"a":"2"}\n' + b" " * 2_000_000, JSONL)
    found = read_all(reader)
    assert found.places == [(1, 1), (2, 3)]
    assert reader.count() == 2
