"""ZIP files that are made to exhaust their reader cost little, whatever they say of themselves."""

import io
import random
import time
import tracemalloc

import pytest

from app.formats.archives.directory import NotAnArchive
from app.formats.archives.zip_file import ArchiveLimits, EntryRefused, ZipReader
from tests.support.archives import Made, deflate, put_together, zip_of

LIMITS = ArchiveLimits(entries=50_000, entry_bytes=26_214_400, total_bytes=104_857_600, ratio=200)
ZEROS = deflate(bytes(50_000_000))


def read_all(file: bytes) -> list[str]:
    """What became of each entry: a code, or "read"."""
    told = []
    try:
        reader = ZipReader(io.BytesIO(file), LIMITS)
    except NotAnArchive:
        return ["not an archive"]
    for entry in reader.entries:
        try:
            reader.read(entry)
            told.append("read")
        except EntryRefused as refused:
            told.append(refused.code)
    return told


def overlapping(number: int) -> bytes:
    """So many entries of which each has the headers of all that follow in its content, and one common rest."""
    inner, made = b"", []
    for each in reversed(range(number)):
        made.append(Made(name=f"{each:04}.jpg".encode(), content=inner or bytes(50_000)))
        inner = made[-1].local()
    places = [len(inner) - len(each.local()) for each in made]
    listed = b"".join(each.listed(at) for each, at in zip(reversed(made), reversed(places), strict=True))
    end = put_together([])[:-22] + b"PK\x05\x06" + bytes(4) + number.to_bytes(2, "little") * 2
    return inner + listed + end + len(listed).to_bytes(4, "little") + len(inner).to_bytes(4, "little") + bytes(2)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (put_together([Made(name=b"a.jpg", packed=ZEROS, size=50_000_000, method=8)]), {"entry_too_large"}),
        (put_together([Made(name=b"a.jpg", packed=ZEROS, size=20_000_000, method=8)]), {"entry_grows_too_much"}),
        (put_together([Made(name=b"a.jpg", packed=ZEROS, size=7, method=8)]), {"damaged"}),
        # 1,000 times the same bytes, as a directory that names one place again and again.
        (put_together([Made(name=b"%d" % each, content=bytes(9_000), start=0) for each in range(1_000)]),
         {"overlapping", "read"}),
        (overlapping(900), {"overlapping", "read"}),
        (put_together([Made(name=b"%d" % each, content=b"") for each in range(10_000)]), {"read"}),
        (put_together([Made(name=b"a.jpg", extra=bytes(65_000)) for _ in range(500)]), {"read"}),
    ],
    ids=["bomb", "bomb-of-a-lower-size", "bomb-of-no-size", "one-place", "overlap", "many-entries", "long-extras"],
)  # fmt: skip
def test_a_bomb_costs_little_memory_and_time(file: bytes, told: set[str]) -> None:
    began = time.process_time()
    tracemalloc.start()
    try:
        outcomes = read_all(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert set(outcomes) == told
    assert outcomes.count("read") <= 1 or told == {"read"}
    assert peak < 50_000_000
    assert time.process_time() - began < 10


def test_whatever_is_done_to_an_archive_something_is_told_of_it() -> None:
    """Bits are flipped, parts cut out and put in twice, and archives packed into each other."""
    chance = random.Random(11)
    inner = zip_of({"inner.jpg": b"x" * 300})
    whole = zip_of({"a.jpg": b"content" * 40, "folder/b.png": bytes(2_000), "c.zip": inner}, compression=8)
    for _ in range(4_000):
        read_all(spoil(whole, chance))


def spoil(file: bytes, chance: random.Random) -> bytes:
    """Changed at a few places. The last 400 bytes, which say what is where, are hit most."""
    spoilt = bytearray(file)
    for _ in range(chance.randint(1, 4)):
        at = (
            chance.randrange(max(0, len(spoilt) - 400), len(spoilt))
            if chance.random() < 0.7
            else chance.randrange(len(spoilt))
        )
        kind = chance.randrange(4)
        if kind == 0:
            spoilt[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            spoilt[at] = chance.choice((0, 0x7F, 0xFF))
        elif kind == 2:
            del spoilt[at : at + chance.randint(1, 40)]
        else:
            spoilt[at:at] = spoilt[at : at + chance.randint(1, 40)]
        if not spoilt:
            return b""
    return bytes(spoilt)
