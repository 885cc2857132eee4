"""What an upload leaves in the store: unpacked, UTF-8, without a mark, and with nothing replaced."""

import codecs
import gzip
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Refused
from app.formats.decode import ENCODINGS, Decoder
from tests.corpus.reading import stored
from tests.support.sweeps import examples

LIMIT = 1_000_000


def fed(upload: bytes, *, part: int = 100, encoding: str | None = None, limit: int = LIMIT) -> bytes:
    decoder = Decoder(encoding, limit)
    parts = [decoder.feed(upload[at : at + part]) for at in range(0, len(upload), part)]
    return b"".join([*parts, decoder.finish()])


def refused(upload: bytes, *, encoding: str | None = None, limit: int = LIMIT) -> Refused:
    with pytest.raises(Refused) as refusal:
        fed(upload, encoding=encoding, limit=limit)
    return refusal.value


@pytest.mark.parametrize("part", [1, 2, 3, 5, 1_000])
@pytest.mark.parametrize(
    ("upload", "kept", "encoding"),
    [
        (b"id\n1\n", b"id\n1\n", "utf-8"),
        (b"", b"", "utf-8"),
        (b"x", b"x", "utf-8"),
        (b"\x1f", b"\x1f", "utf-8"),
        (codecs.BOM_UTF8 + "ä".encode(), "ä".encode(), "utf-8"),
        (codecs.BOM_UTF8, b"", "utf-8"),
        (codecs.BOM_UTF16_LE + "a€😀".encode("utf-16-le"), "a€😀".encode(), "utf-16-le"),
        (codecs.BOM_UTF16_BE + "a€😀".encode("utf-16-be"), "a€😀".encode(), "utf-16-be"),
        (codecs.BOM_UTF16_LE, b"", "utf-16-le"),
        (gzip.compress(codecs.BOM_UTF16_BE + "a€😀".encode("utf-16-be"), mtime=0), "a€😀".encode(), "utf-16-be"),
        (gzip.compress(b"id\n", mtime=0) + gzip.compress(b"1\n", mtime=0), b"id\n1\n", "utf-8"),
        (gzip.compress(b"", mtime=0), b"", "utf-8"),
    ],
)
def test_an_upload_is_stored_as_plain_utf8(upload: bytes, kept: bytes, encoding: str, part: int) -> None:
    assert stored(upload, part=part) == (kept, encoding)


@pytest.mark.parametrize("declared", ["UTF-16", "utf_16"])
def test_utf16_without_a_mark_is_recognised_by_its_zero_bytes(declared: str) -> None:
    assert stored("id,ä".encode("utf-16-le"), declared) == ("id,ä".encode(), "utf-16-le")
    assert stored("id,ä".encode("utf-16-be"), declared) == ("id,ä".encode(), "utf-16-be")


@pytest.mark.parametrize("declared", [name for name, kept in ENCODINGS.items() if not kept.startswith("utf-16")])
def test_every_declared_encoding_is_read(declared: str) -> None:
    text = "id,plain"
    assert stored(text.encode(ENCODINGS[declared]), declared)[0] == text.encode()


@pytest.mark.parametrize(
    ("declared", "letter"),
    [("latin1", "é"), ("ISO-8859-15", "€"), ("cp1250", "č"), ("windows-1251", "ж"), ("CP1252", "€")],
)
def test_a_letter_of_a_declared_encoding_is_kept(declared: str, letter: str) -> None:
    assert stored(letter.encode(declared), declared)[0] == letter.encode()


def test_a_byte_order_mark_overrides_the_declared_encoding() -> None:
    assert stored(codecs.BOM_UTF8 + "é".encode(), "windows-1252") == ("é".encode(), "utf-8")


def test_a_byte_that_is_not_text_becomes_invalid_utf8() -> None:
    assert stored(b"a\x81b\xe9", "windows-1252")[0] == b"a\x81b\xc3\xa9"


def test_an_unknown_encoding_is_refused() -> None:
    refusal = refused(b"x", encoding="utf-7")
    assert (refusal.code, refusal.complaints[0].path) == ("invalid", "encoding")


# Without Ctrl-Z, which is left out where it ends a file.
TEXTS = st.text(st.characters(exclude_categories=(), exclude_characters="\x1a"))


@given(TEXTS, st.integers(1, 7), st.sampled_from(["utf-16-le", "utf-16-be"]))
@settings(deadline=None, max_examples=examples(150))
def test_utf16_is_decoded_completely_and_lone_surrogates_stay_visible(text: str, part: int, encoding: str) -> None:
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" else codecs.BOM_UTF16_BE
    units = text.encode(encoding, "surrogatepass")
    expected = units.decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass")
    assert fed(mark + units, part=part) == expected


@given(st.binary(max_size=300), st.integers(1, 50), st.sampled_from([None, *ENCODINGS]))
@settings(deadline=None, max_examples=examples(200))
def test_any_bytes_come_out_the_same_however_they_arrive(upload: bytes, part: int, encoding: str | None) -> None:
    outcomes: list[bytes | str] = []
    for size in (part, 10_000):
        try:
            outcomes.append(fed(upload, part=size, encoding=encoding))
        except Refused as refusal:
            outcomes.append(refusal.code)
    assert outcomes[0] == outcomes[1]


PACKED = gzip.compress(random.Random(1).randbytes(500), mtime=0)
BROKEN = {
    "cut short": PACKED[:-1],
    "cut after the magic": PACKED[:2],
    "wrong checksum": PACKED[:-8] + bytes([PACKED[-8] ^ 1]) + PACKED[-7:],
    "wrong length": PACKED[:-1] + b"\x01",
    "damaged inside": PACKED[:20] + bytes([PACKED[20] ^ 0xFF]) + PACKED[21:],
    "followed by junk": PACKED + b"junk",
    "second member cut short": PACKED + PACKED[:30],
    "no gzip after the magic": b"\x1f\x8bjust text that goes on for a while",
}


@pytest.mark.parametrize("upload", BROKEN.values(), ids=BROKEN)
def test_a_damaged_gzip_file_is_refused(upload: bytes) -> None:
    assert refused(upload).code == "unreadable_file"


def test_a_gzip_file_may_unpack_to_the_limit_and_no_further() -> None:
    content = random.Random(2).randbytes(LIMIT)
    assert fed(gzip.compress(content, mtime=0)) == content
    assert refused(gzip.compress(content + b"x", mtime=0)).code == "too_large"


def test_a_gzip_bomb_is_refused_long_before_its_end() -> None:
    bomb = gzip.compress(bytes(50_000_000), mtime=0)
    decoder = Decoder(None, 50_000_000)
    with pytest.raises(Refused) as refusal:
        decoder.feed(bomb[:5_000])
    assert refusal.value.code == "too_large"


def test_a_gzip_bomb_in_a_packed_answer_is_refused_before_its_end() -> None:
    bomb = gzip.compress(gzip.compress(bytes(500_000_000), 9, mtime=0), mtime=0)
    decoder = Decoder(None, 50_000_000)
    decoder.suppose("", "gzip")
    with pytest.raises(Refused) as refusal:
        decoder.feed(bomb)
    assert refusal.value.code == "too_large"


def test_a_small_file_packed_beyond_the_ratio_is_refused_at_its_end() -> None:
    assert refused(gzip.compress(b"x" * 50_000, mtime=0)).code == "too_large"
    assert fed(gzip.compress(b"x" * 3_000, mtime=0)) == b"x" * 3_000
