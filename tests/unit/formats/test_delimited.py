"""Every ugly file becomes just the rows and errors that it should, however it is cut into batches."""

import pytest

from app.errors import Refused
from app.formats import refuse_data_without_heading
from app.formats.records import Dialect, Limits
from tests.corpus.reading import read_all, reader_of
from tests.corpus.ugly import UGLY, Ugly

EACH = pytest.mark.parametrize("file", UGLY, ids=lambda file: file.name)


@EACH
def test_an_ugly_file_gives_its_good_rows_and_names_the_others(file: Ugly) -> None:
    found = read_all(reader_of(file.data))
    assert found.records == file.good
    assert [(row.line, row.code) for row in found.unreadable] == file.bad


@EACH
def test_rows_are_numbered_without_gaps_and_counted_beforehand(file: Ugly) -> None:
    reader = reader_of(file.data)
    found = read_all(reader)
    rows = sorted([row for row, _ in found.places] + [each.row for each in found.unreadable])
    assert rows == list(range(1, len(rows) + 1))
    assert reader.count() == len(rows)


@EACH
@pytest.mark.parametrize(("rows", "size"), [(1, 1_000_000), (7, 1_000_000), (20_000, 1), (20_000, 17)])
def test_the_size_of_batches_changes_nothing(file: Ugly, rows: int, size: int) -> None:
    reader = reader_of(file.data)
    whole, parts = read_all(reader), read_all(reader, rows=rows, size=size)
    assert (parts.records, parts.places, parts.unreadable) == (whole.records, whole.places, whole.unreadable)


def test_reading_goes_on_from_the_end_of_any_batch() -> None:
    data = b"id,name\n" + b"\n\n".join(file.data.split(b"\n", 1)[-1] for file in UGLY if len(file.data) < 200)
    whole = read_all(reader_of(data))
    for end in read_all(reader_of(data), rows=1).ends:
        rest = read_all(reader_of(data), start=end)
        assert rest.records == [
            record for record, (row, _) in zip(whole.records, whole.places, strict=True) if row > end.row
        ]
        assert rest.unreadable == [each for each in whole.unreadable if each.row > end.row]


def test_lines_are_physical_lines() -> None:
    found = read_all(reader_of(b'id,name\r\n1,"a\r\nb"\r\n\r\n2,b\r\n3\r\n4,d'))
    assert found.places == [(1, 2), (2, 5), (4, 7)]
    assert [(each.row, each.line) for each in found.unreadable] == [(3, 6)]


def test_a_bad_byte_is_named_with_its_place() -> None:
    (bad,) = read_all(reader_of(b"id,name\n1,caf\xe9\n")).unreadable
    assert bad.message == "Byte 0xE9 at position 6 of the row is not valid utf-8"
    assert (bad.cells, bad.raw) == (("1", "caf\\xe9"), "1,caf\\xe9")


def test_a_nul_is_named_and_escaped_in_the_reported_row() -> None:
    (bad,) = read_all(reader_of(b"id,name\n1,a\x00b\n")).unreadable
    assert bad.message == "The row contains U+0000, a character that cannot be stored"
    assert (bad.cells, bad.raw) == (("1", "a\\x00b"), "1,a\\x00b")


def test_half_a_surrogate_pair_is_named() -> None:
    (bad,) = read_all(reader_of("id\n\ud83d\n".encode("utf-8", "surrogatepass"))).unreadable
    assert "U+D83D" in bad.message


def test_a_broken_quote_is_named_with_the_line_on_which_it_opened() -> None:
    found = read_all(reader_of(b'id,name,x\n1,a,b\n"2\n2","b,c\n3,c,d\n'))
    quote, fallout = found.unreadable
    assert (quote.line, quote.message) == (3, "The quote that opens on line 4 is never closed")
    assert (fallout.line, fallout.message) == (
        4,
        "The row was not read, because the quote that opens on line 4 is broken",
    )
    assert quote.raw == '"2'


def test_a_quote_closed_too_early_is_named_with_what_follows_it() -> None:
    (bad,) = read_all(reader_of(b'id,name\n1,"a"b\n')).unreadable
    reason = "is closed too early: it is followed by `b` instead of a delimiter"
    assert bad.message == f"The quote that opens on line 2 {reason}"


def test_a_ragged_row_keeps_its_cells_and_its_text() -> None:
    (bad,) = read_all(reader_of(b"id,name\n1,a,x\r\n")).unreadable
    assert (bad.cells, bad.raw) == (("1", "a", "x"), "1,a,x")
    assert bad.message == "The row has 3 cells, but the header has 2"


def test_what_is_kept_of_a_bad_row_is_short() -> None:
    (bad,) = read_all(reader_of(b"id,name\n" + b"\xe9" * 5_000 + b"," * 5_000 + b"\n")).unreadable
    assert len(bad.raw) == 1_024
    assert len(bad.cells) == 2_000


def test_the_whole_of_a_bad_row_is_kept_when_asked_for() -> None:
    rows = b"1,caf\xe9" + b"x" * 100_000 + b'\r\n"2' + b"y" * 2_000 + b"\n" + b"z" * 2_000_000
    byte, quote, long = read_all(reader_of(b"id,name\n" + rows, limits=Limits(raw_characters=None))).unreadable
    assert quote.raw == '"2' + "y" * 2_000
    assert long.raw == "z" * 1_024
    assert byte.raw == "1,caf\\xe9" + "x" * 100_000


def test_a_quote_that_is_not_closed_within_a_record_costs_its_row_only() -> None:
    rows = [[str(number), "x" * 100] for number in range(2, 20_000)]
    data = b'id,name\n1,"a\n' + "".join(f"{a},{b}\n" for a, b in rows).encode()
    found = read_all(reader_of(data), rows=7)
    assert found.records == rows
    assert [(each.line, each.code) for each in found.unreadable] == [(2, "quote_error")]


def test_a_batch_holds_no_more_rows_than_asked_for() -> None:
    reader = reader_of(b"id,name\n" + b"1,a\n" * 50)
    assert len(reader.read(reader.first, max_rows=7, max_bytes=1_000).records) == 7


def test_a_batch_of_blank_lines_goes_on_without_rows() -> None:
    reader = reader_of(b"id\n" + b"\n" * 300_000 + b"1\n")
    batch = reader.read(reader.first, max_rows=5, max_bytes=1_000)
    assert (batch.records, batch.last, batch.end.row) == ([], False, 0)
    assert 500 < batch.end.offset - batch.start.offset <= 1_001
    assert read_all(reader, size=100_000).places == [(1, 300_002)]


def test_a_batch_is_the_last_when_only_blank_lines_follow() -> None:
    reader = reader_of(b"id\n1\n2\n\r\n\n")
    assert not reader.read(reader.first, max_rows=1, max_bytes=100).last
    assert reader.read(reader.first, max_rows=2, max_bytes=100).last


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_delimiters_other_than_the_comma_are_read(delimiter: str) -> None:
    data = f'id{delimiter}name\n1{delimiter}"a{delimiter}b"\n2{delimiter}"x"y\n3\n'.encode()
    found = read_all(reader_of(data, Dialect("csv", delimiter)))
    assert found.records == [["1", f"a{delimiter}b"]]
    assert [each.code for each in found.unreadable] == ["quote_error", "missing_cell"]


def test_headings_are_trimmed() -> None:
    assert reader_of(b' id ,"na\nme "\n').header == ("id", "na\nme")


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "empty_file", "is empty"),
        (b"\xef\xbb\xbf", "empty_file", "is empty"),
        (b"\n\r\n\n", "unreadable_file", "only blank lines"),
        (b'id,"name\n1,a\n', "unreadable_file", "quote"),
        (b'id,"na"me\n1,a\n', "unreadable_file", "quote"),
        (b"id,na\xe9me\n1,a\n", "unreadable_file", "0xE9"),
        (b"id,na\x00me\n1,a\n", "unreadable_file", "U+0000"),
        (b"x" * 1_048_577 + b"\n1\n", "unreadable_file", "longer than 1,048,576 bytes"),
        (b"," * 2_000 + b"\n1,a\n", "invalid", "2,001 columns, but at most 2,000"),
        (
            b"id," + b"x" * 256 + b"\n1,a\n",
            "invalid",
            f'column 2 ("{"x" * 40}…") has 256 characters, but at most 255',
        ),
    ],
)
def test_a_file_without_a_usable_header_is_refused(data: bytes, code: str, words: str) -> None:
    with pytest.raises(Refused) as refusal:
        reader_of(data)
    assert refusal.value.code == code
    assert words in refusal.value.detail


def test_the_longest_heading_is_counted_in_characters_without_the_blanks_around() -> None:
    assert reader_of(f"id, {'ü' * 255} \n1,a\n".encode()).header == ("id", "ü" * 255)


def test_data_in_a_nameless_column_is_refused_only_when_asked() -> None:
    reader = reader_of(b"id,,x\n1,,3\n2,a,3\n")
    with pytest.raises(Refused, match="Column 2 has no heading, but line 3 has data") as refusal:
        refuse_data_without_heading(reader)
    assert refusal.value.code == "invalid"


@pytest.mark.parametrize("data", [b"id,,x\n1,,3\n2, ,3\n", b"id,name\n1,a\n"])
def test_a_nameless_column_without_data_is_not_refused(data: bytes) -> None:
    refuse_data_without_heading(reader_of(data))


def test_small_limits_hold_although_blocks_are_larger() -> None:
    limits = Limits(columns=3, record_bytes=20, cell_characters=5)
    found = read_all(
        reader_of(b'id,name\n1,abcdef\n2,"abc\nd"\n3,' + b"x" * 30 + b'\n4,"\n' + b"5,e\n" * 9, limits=limits)
    )
    assert [(each.line, each.code) for each in found.unreadable] == [
        (2, "cell_too_long"),
        (5, "record_too_long"),
        (6, "quote_error"),
    ]
    assert found.records == [["2", "abc\nd"], *[["5", "e"]] * 9]
