"""How much of a file is read for a batch."""

import io

from app.formats import open_reader
from app.formats.records import Dialect, Limits, Position


class CountingFile(io.BytesIO):
    """Counts the bytes that are read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def test_the_last_row_of_a_batch_is_read_without_a_megabyte_behind_it() -> None:
    """What is left of the batch is less than a row, so that it is read from a block of its own."""
    file = CountingFile(b"a,b\n" + b"1,2345678\n" * 200_000)
    reader = open_reader(file, Dialect("csv"), Limits())
    reader.read(reader.first, max_rows=10, max_bytes=100)
    file.count = 0
    batch = reader.read(Position(4, 2), max_rows=10_000, max_bytes=65_535)
    assert (batch.end.offset, len(batch.records), batch.last) == (65_544, 6_554, False)
    assert file.count < 300_000


def test_a_row_that_ends_beyond_a_block_is_read_whole() -> None:
    long = b'1,"' + b"x\n" * 90_000 + b'"\n'
    reader = open_reader(io.BytesIO(b"a,b\n" + long + b"2,y\n"), Dialect("csv"), Limits(cell_characters=200_000))
    batch = reader.read(reader.first, max_rows=10, max_bytes=5)
    assert [len(record[1]) for record in batch.records] == [180_000]  # type: ignore[index]


def test_a_header_is_read_without_a_megabyte_behind_it_and_a_long_one_whole() -> None:
    file = CountingFile(b"a,b\n" + b"1,2345678\n" * 200_000)
    assert open_reader(file, Dialect("csv"), Limits()).header == ("a", "b")
    assert file.count < 500_000
    quoted = b'"a' + b" \n" * 50_000 + b'",b\n'  # its quote is closed in the second piece
    reader = open_reader(io.BytesIO(quoted + b"1,2\n"), Dialect("csv"), Limits())
    assert (reader.header, reader.first) == (("a", "b"), Position(len(quoted), 50_002))
