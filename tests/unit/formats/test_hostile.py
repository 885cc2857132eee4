"""Files made to exhaust a reader's memory or time cost little of either."""

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.formats import open_reader
from app.formats.records import Dialect, Limits
from tests.corpus.reading import read_all

BIG = 50_000_000
ROOM = 150  # megabytes that a reader may use in addition to what Python itself uses

# Reads a file in batches, keeps nothing, and prints how its memory grew and what it found.
MEASURE = """
import resource, sys
from app.formats import open_reader
from app.formats.records import Dialect, Limits
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
with open(sys.argv[1], "rb") as file:
    reader = open_reader(file, Dialect(sys.argv[2]), Limits())
    counted, at, last, codes = reader.count(), reader.first, False, set()
    while not last:
        batch = reader.read(at, max_rows=20_000, max_bytes=8_000_000)
        codes.update(each.code for each in batch.unreadable)
        at, last = batch.end, batch.last
print(peak() - before, counted, at.row, ",".join(sorted(codes)) or "-")
"""


def repeated(unit: bytes) -> Iterator[bytes]:
    block = unit * (1_000_000 // len(unit))
    return (block for _ in range(BIG // len(block)))


def measured(path: Path, parts: Iterator[bytes], *, start: bytes, format: str = "csv") -> tuple[int, int, str]:
    """(megabytes, rows, codes) of reading a file of 50 MB in a process of its own."""
    with path.open("wb") as file:
        file.write(start)
        file.writelines(parts)
    command = [sys.executable, "-c", MEASURE, str(path), format]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    path.unlink()
    megabytes, counted, rows, codes = told.stdout.split()
    assert counted == rows
    return int(megabytes), int(rows), codes


@pytest.mark.parametrize(
    ("unit", "start", "format", "rows", "codes"),
    [
        (b",", b"a,b\n", "csv", 1, "record_too_long"),
        (b"x", b'a,b\n1,"', "csv", 1, "record_too_long"),
        (b"\n", b"a,b\n", "csv", 0, "-"),
        (b"\r\n", b"a,b\n", "csv", 0, "-"),
        (b"x" * 99_998 + b",\n", b'a,b\n1,"', "csv", 500, "quote_error"),
        pytest.param(b"," * 99_999 + b"\n", b"a,b\n", "csv", 500, "extra_cell", marks=pytest.mark.slow),
        (b"[", b'{"a":', "jsonl", 1, "record_too_long"),
        (b"\n", b'{"a":1}', "jsonl", 1, "-"),
        (b'{"a":' + b"[" * 99_000 + b"\n", b"", "jsonl", 500, "too_deep"),
    ],
    ids=[
        "a row of commas",
        "an open quote in one line",
        "blank lines",
        "blank lines with CR LF",
        "an open quote before long lines",
        "rows of 100,000 cells",
        "a line of brackets",
        "blank lines of JSON",
        "deep lists",
    ],
)
def test_a_hostile_file_of_fifty_megabytes_takes_little_memory(
    tmp_path: Path, *, unit: bytes, start: bytes, format: str, rows: int, codes: str
) -> None:
    found = measured(tmp_path / "hostile", repeated(unit), start=start, format=format)
    assert found[0] < ROOM
    assert found[2] == codes
    assert abs(found[1] - rows) <= 1  # the last unit of a row may be the first one's rest


TANGLES = {
    "quotes that fit only when read from the wrong side": b'a",",\n',
    "every row closed too early": b'"a"b\n',
    "every row left open": b'x,"abc\n',
    "every cell wrong, in one long line": b'"a"x' + b',""x' * 50_000 + b"\n",
    "every quote seems to close, in one long line": b'x,"a"b ' + b'",x ' * 50_000 + b',"z\n',
    "only pairs": b'"" ""\n',
    "a wrong quote, then no quote for long": b'"a"b\n' + b"c,d\n" * 40_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("unit", TANGLES.values(), ids=TANGLES)
def test_twice_the_tangle_takes_about_twice_the_time(unit: bytes) -> None:
    def once(data: bytes) -> float:
        reader = open_reader(io.BytesIO(data), Dialect("csv"), Limits())
        begun = time.thread_time()
        read_all(reader)
        return time.thread_time() - begun

    def seconds(size: int) -> float:
        """The shortest of three, because collecting the garbage of the whole test process takes longer than a read."""
        data = b"a,b\n" + unit * (size // len(unit) + 1)
        return min(once(data) for _ in range(3))

    # A reader that starts again for every row would take at least sixteen times as long.
    assert seconds(400_000) < 8 * seconds(100_000) + 0.25
