"""The rows of a block are counted without reading its cells, and come to what reading them gives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats.counting.blocks import count_records
from app.formats.quoting import compile_patterns
from app.formats.records import Dialect
from tests.corpus.reading import read_all, reader_of
from tests.support.sweeps import examples

CELLS = st.sampled_from(
    ["a", "", " ", "\t", '""', '" "', '"x,y"', '"x\ny"', '"x\r\n\r\ny"', '"say ""hi"""', '"""', '5"', ' "b"', '"b" ']
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=3).map(",".join), max_size=8)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\n \r\n", "\n,,\n", "\r \n"])


@given(ROWS, st.lists(ENDS, min_size=8, max_size=8), st.booleans())
@settings(deadline=None, max_examples=examples(1_000))
def test_a_block_is_counted_as_it_is_read_or_looked_at_closer(rows: list[str], ends: list[str], ended: bool) -> None:
    text = "".join(row + end for row, end in zip(rows, ends, strict=False))
    data = (text if ended else text.rstrip("\r\n")).encode()
    counted = count_records(data, compile_patterns(","))
    if counted is not None:
        found = read_all(reader_of(b"h1,h2\n" + data, Dialect("csv", ",")))
        assert counted == len(found.records) + len(found.unreadable)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'1,"Ellis, Jr."\n2,"a ""b"" c"\r\n3,\n', 3),
        (b'"1","line\nand line\n\n"\n"2","b"\n', 2),
        (b'1,a\n,\n \t,\n,""\n', 2),
        (b"1,a\n" + b" " * 16_385 + b"\n", 2),
        (b"1,\xe9\n2,\xed\xa0\x80\n", 2),
    ],
)
def test_quotes_and_blank_rows_need_no_closer_look(data: bytes, rows: int) -> None:
    assert count_records(data, compile_patterns(",")) == rows


@pytest.mark.parametrize("data", [b'1,"a\n2,b\n', b'1, "a"\n2,"b\n3,c"\n', b'1,"a"b\n'])
def test_an_odd_quote_needs_a_closer_look(data: bytes) -> None:
    assert count_records(data, compile_patterns(",")) is None
