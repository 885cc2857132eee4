"""Whatever the bytes: tables come back as they were written, nothing is raised, and batches change nothing."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refused
from app.formats import open_reader
from app.formats.lines import BLANKS
from app.formats.quoting import ParsedRecord, are_quotes_regular, compile_patterns, parse_record, split_rows
from app.formats.records import READING_RULES, Dialect, Limits, Reader
from tests.corpus.reading import Everything, read_all, reader_of, stored
from tests.support.sweeps import examples

CELL = st.text(st.one_of(st.sampled_from('",;|\t\r\n \u2028\x85é'), st.characters(exclude_categories=["Cs"]))).filter(
    lambda text: "\0" not in text
)
TABLE = st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=8))
# Bytes that mean something to a reader come often enough to meet each other.
TOKENS = [
    b'"',
    b'"',
    b'""',
    b",",
    b",",
    b"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b"a",
    b"1",
    b" ",
    b"\x00",
    b"\xe9",
    b"\xed\xa0\x80",
]
TANGLED = st.lists(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=2)), max_size=60).map(b"".join)
# Small enough that the limits are met by short files, and the blocks are many.
SMALL = Limits(columns=5, record_bytes=24, cell_characters=9, depth=3)
OBJECTS = st.lists(
    st.sampled_from(
        [b'{"a":', b"}", b"[", b"]", b"1", b'"x"', b"\n", b"\r", b" ", b'{"a":1}', b'"\\ud800"', b"\xe9", b","]
    )
).map(b"".join)


@given(TABLE, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@settings(deadline=None, max_examples=examples(200))
def test_a_table_comes_back_as_it_was_written(table: list[list[str]], delimiter: str, end: str, quoted: bool) -> None:
    width = len(table[0]) if table else 1
    text = io.StringIO(newline="")
    # Left to itself csv.writer quotes only the characters of its own line end: a bare CR would become an end.
    minimal = end == "\r\n" and not quoted
    writer = csv.writer(
        text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_MINIMAL if minimal else csv.QUOTE_ALL
    )
    writer.writerow([f"c{number}" for number in range(width)])
    writer.writerows(table)
    reader = reader_of(text.getvalue().encode(), Dialect("csv", delimiter))
    found = read_all(reader, rows=3)
    if minimal:  # a row of nothing but delimiters and blanks is none, unless it has quotes
        table = [
            row for row in table if '"' in written(row, delimiter) or written(row, delimiter).strip(BLANKS + delimiter)
        ]
    assert found.records == table
    assert found.unreadable == []
    assert reader.count() == len(table)


def written(row: list[str], delimiter: str) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(row)
    return line.getvalue()


@given(TANGLED, st.booleans())
@settings(deadline=None, max_examples=examples(200))
def test_rows_are_counted_as_they_are_read(data: bytes, old: bool) -> None:
    tangled = data.replace(b"1", b', "').replace(b"a", b" ,")
    reader = opened(b"a,b\n" + tangled, Dialect("csv", ",", rules=1 if old else READING_RULES), SMALL)
    if reader is not None:
        found = read_all(reader)
        assert reader.count() == len(found.records) + len(found.unreadable)


def opened(data: bytes, dialect: Dialect, limits: Limits) -> Reader | None:
    try:
        return open_reader(io.BytesIO(data), dialect, limits)
    except Refused:
        return None


def same(one: Everything, other: Everything) -> bool:
    return (one.records, one.places, one.unreadable) == (other.records, other.places, other.unreadable)


def assert_read_alike(reader: Reader, rows: int, size: int) -> None:
    whole = read_all(reader)
    assert reader.count() == len(whole.records) + len(whole.unreadable)
    parts = read_all(reader, rows=rows, size=size)
    assert same(whole, parts)
    for end in parts.ends[:5]:
        rest = read_all(reader, start=end)
        assert rest.places == [place for place in whole.places if place[0] > end.row]
        assert rest.unreadable == [each for each in whole.unreadable if each.row > end.row]


@pytest.mark.parametrize("limits", [SMALL, Limits()], ids=["small limits", "usual limits"])
@given(data=TANGLED, rows=st.integers(1, 4), size=st.integers(1, 40))
@settings(deadline=None, max_examples=examples(200))
def test_any_bytes_are_read_alike_in_any_batches(limits: Limits, data: bytes, rows: int, size: int) -> None:
    reader = opened(b"a,b\n" + data, Dialect("csv"), limits)
    assert reader is not None
    assert_read_alike(reader, rows, size)


@pytest.mark.parametrize("limits", [SMALL, Limits()], ids=["small limits", "usual limits"])
@given(data=st.one_of(OBJECTS, TANGLED), rows=st.integers(1, 4), size=st.integers(1, 40))
@settings(deadline=None, max_examples=examples(100))
def test_any_json_is_read_alike_in_any_batches(limits: Limits, data: bytes, rows: int, size: int) -> None:
    reader = opened(b" " + data, Dialect("jsonl"), limits)
    assert reader is not None
    assert_read_alike(reader, rows, size)


@given(upload=st.one_of(TANGLED, st.binary(max_size=200)), format=st.sampled_from(["csv", "jsonl"]))
@settings(deadline=None, max_examples=examples(200))
def test_any_upload_is_read_or_refused(upload: bytes, format: str) -> None:
    try:
        data, encoding = stored(upload)
    except Refused:
        return
    reader = opened(data, Dialect(format, encoding=encoding), SMALL)
    if reader is not None:
        found = read_all(reader)
        assert reader.count() == len(found.records) + len(found.unreadable)


@given(data=TANGLED)
@settings(deadline=None, max_examples=examples(200))
def test_what_is_kept_of_a_bad_row_can_be_stored(data: bytes) -> None:
    for each in read_all(reader_of(b"a,b\n" + data)).unreadable:
        for text in (each.raw, each.message, *each.cells):
            assert "\0" not in text
            text.encode()


# Nearly rows that can be split, of one to three columns.
ROWS = st.integers(1, 3).flatmap(
    lambda columns: st.lists(
        st.sampled_from(["a", "", " ", "b,", 'c"', 'd""', "e\n", "f\r"] + 9 * ["g"]), min_size=columns, max_size=columns
    ).map(tuple)
)


@given(st.lists(ROWS, max_size=4), st.booleans(), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 3))
@settings(deadline=None, max_examples=examples(500))
def test_rows_are_split_as_they_would_be_parsed(
    table: list[tuple[str, ...]], quoted: bool, end: str, ended: bool, columns: int
) -> None:
    around = '"' if quoted else ""
    text = end.join(",".join(f"{around}{cell}{around}" for cell in row) for row in table) + (end if ended else "")
    parts, parsed, at = text.split('"'), [], 0
    while at < len(text):
        record = parse_record(text, at, compile_patterns(","), complete=True)
        assert record is not None
        parsed.append(record)
        at = record.end
    if quoted and are_quotes_regular(parts, (",", "\r", "\n")):
        assert all(isinstance(record, ParsedRecord) and not record.stray_quotes for record in parsed)
    rows = split_rows(text, parts, ",", columns)
    if rows is not None:
        assert rows == [tuple(record.cells) for record in parsed if isinstance(record, ParsedRecord)]
        assert len(rows) == len(parsed) == len(text.splitlines())


WORD = st.text("abc xyz,", min_size=1).map(lambda text: f"w{text}w")


@given(
    table=st.lists(st.tuples(WORD, WORD), min_size=1, max_size=8),
    broken=st.integers(0, 7),
    quoted=st.booleans(),
    opened_early=st.booleans(),
)
@settings(deadline=None, max_examples=examples(200))
def test_a_quote_left_open_costs_its_row_and_no_other(
    table: list[tuple[str, str]], broken: int, quoted: bool, opened_early: bool
) -> None:
    broken %= len(table)
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerows(table)
    lines = text.getvalue().splitlines(keepends=True)
    lines[broken] = '"left,open\r\n' if opened_early else 'left,"open\r\n'
    found = read_all(reader_of(("a,b\r\n" + "".join(lines)).encode()))
    assert found.records == [list(row) for number, row in enumerate(table) if number != broken]
    assert [(each.line, each.code) for each in found.unreadable] == [(broken + 2, "quote_error")]
