"""ZIP files of all programs are read, and what cannot be read is told by its name."""

import io
import zipfile
import zlib
from struct import pack

import pytest

from app.formats.archives.directory import NotAnArchive
from app.formats.archives.zip_file import ArchiveLimits, EntryRefused, ZipReader
from tests.support.archives import UTF8, Made, put_together, zip_of

LIMITS = ArchiveLimits(entries=1_000, entry_bytes=1_000_000, total_bytes=2_000_000, ratio=200)


def reading(file: bytes, **limits: int) -> ZipReader:
    given = {name: getattr(LIMITS, name) for name in ("entries", "entry_bytes", "total_bytes", "ratio")}
    return ZipReader(io.BytesIO(file), ArchiveLimits(**given | limits))


def outcomes(reader: ZipReader) -> dict[str, bytes | str]:
    """Path by path the content, or the code of the refusal."""
    found: dict[str, bytes | str] = {}
    for entry in reader.entries:
        try:
            found[entry.path] = reader.read(entry)
        except EntryRefused as refused:
            found[entry.path] = refused.code
    return found


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_entry_comes_back_as_it_was_packed(method: int) -> None:
    files = {"a.jpg": b"", "folder/b.jpg": b"b" * 100, "Größe.png": bytes(range(256)) * 700}
    assert outcomes(reading(zip_of(files, compression=method))) == files


def test_what_stands_before_and_after_an_archive_is_no_part_of_it() -> None:
    file = put_together([Made(name=b"a.jpg")], before=b"#!/bin/sh\n" * 50, comment=b"made by PK\x05\x06 itself")
    assert outcomes(reading(file)) == {"a.jpg": b"content"}


def test_an_archive_of_the_large_format_is_read() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, archive.open("a.jpg", "w", force_zip64=True) as entry:
        entry.write(b"content")
    assert outcomes(reading(made.getvalue())) == {"a.jpg": b"content"}

    small = put_together([Made(name=b"a.jpg")])
    body, end = small[:-22], small[-22:]
    length, offset = int.from_bytes(end[12:16], "little"), int.from_bytes(end[16:20], "little")
    record = pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, length, offset)
    locator = pack("<4sLQL", b"PK\x06\x07", 0, len(body), 1)
    full = pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert outcomes(reading(body + record + locator + full)) == {"a.jpg": b"content"}
    assert outcomes(reading(b"before" + body + record + locator + full)) == {"a.jpg": b"content"}


def test_names_are_read_in_whatever_encoding_a_program_writes_them() -> None:
    raw = "Größe.jpg".encode("cp437")
    unicode_field = b"\1" + zlib.crc32(raw).to_bytes(4, "little") + "Größe 2.jpg".encode()
    made = [
        Made(name="Äpfel.jpg".encode(), flags=UTF8),
        Made(name="Öl.jpg".encode()),  # UTF-8, which the entry does not say
        Made(name=raw),
        Made(name=raw, extra=pack("<2H", 0x7075, len(unicode_field)) + unicode_field),
        Made(name=b"\xff.jpg", flags=UTF8),
        Made(name=b"a\0\n\x1b[31m.jpg"),
    ]
    paths = [entry.path for entry in reading(put_together(made)).entries]
    assert paths == ["Äpfel.jpg", "Öl.jpg", "Größe.jpg", "Größe 2.jpg", "�.jpg", "a���[31m.jpg"]


def test_a_name_is_the_last_part_of_any_path() -> None:
    paths = [b"a/b/c.jpg", rb"a\b\c.jpg", b"../../c.jpg", rb"C:\pictures\c.jpg", b"/c.jpg"]
    assert {entry.name for entry in reading(put_together(Made(name=path) for path in paths)).entries} == {"c.jpg"}


def test_folders_and_links_are_no_files() -> None:
    made = [
        Made(name=b"folder/", content=b""),
        Made(name=b"other", mode=0o40755, content=b""),
        Made(name=b"link.jpg", mode=0o120777, content=b"/etc/passwd"),
        Made(name=b"pipe.jpg", mode=0o10644, content=b""),
        Made(name=b"file.jpg", mode=0o100644),
    ]
    reader = reading(put_together(made))
    assert [entry.is_folder for entry in reader.entries] == [True, True, False, False, False]
    assert [outcomes(reader)[path] for path in ("link.jpg", "pipe.jpg", "file.jpg")] == [
        "not_a_file",
        "not_a_file",
        b"content",
    ]


REFUSED = {
    "encrypted": Made(name=b"encrypted.jpg", flags=1),
    "unknown_compression": Made(name=b"bzip2.jpg", method=12),
    "name_too_long": Made(name=b"a" * 1_025),
    "entry_too_large": Made(name=b"large.jpg", content=bytes(1_000_001), method=8),
    "entry_grows_too_much": Made(name=b"bomb.jpg", content=bytes(900_000), method=8),
    "overlapping": Made(name=b"beyond.jpg", start=2**32 - 2),
}


@pytest.mark.parametrize("code", REFUSED)
def test_an_entry_that_is_refused_costs_no_other(code: str) -> None:
    made = [Made(name=b"first.jpg"), REFUSED[code], Made(name=b"last.jpg")]
    assert list(outcomes(reading(put_together(made))).values()) == [b"content", code, b"content"]


@pytest.mark.parametrize(
    "lie",
    [
        Made(name=b"a", content=b"content" * 99, size=7),
        Made(name=b"a", content=b"content" * 99, method=8, size=7),
        Made(name=b"a", size=8),
        Made(name=b"a", crc=0),
        Made(name=b"a", method=8, packed=b"\xff\xff\xff"),
        Made(name=b"a", method=8, packed=b""),
        Made(name=b"a", content=b"content" * 99, method=8, packed_size=3),
        Made(name=b"a", start=1),
    ],
    ids=lambda made: f"{made.method}-{made.size}-{made.crc}-{made.start}",
)
def test_an_entry_that_lies_is_damaged(lie: Made) -> None:
    assert list(outcomes(reading(put_together([lie]))).values()) == ["damaged"]


def test_what_is_unpacked_in_all_is_counted() -> None:
    made = [Made(name=f"{number}".encode(), content=bytes(900), method=8) for number in range(5)]
    assert list(outcomes(reading(put_together(made), total_bytes=2_000)).values()) == [
        *(bytes(900) for _ in range(2)),
        *("archive_too_large" for _ in range(3)),
    ]


def test_entries_beyond_the_limit_are_not_looked_at() -> None:
    reader = reading(put_together(Made(name=f"{number}".encode()) for number in range(5)), entries=3)
    assert ([entry.path for entry in reader.entries], reader.is_cut) == (["0", "1", "2"], True)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "The file is not a ZIP file"),
        (b"ItemCode;Description\r\n", "The file is not a ZIP file"),
        (zip_of({"a.jpg": b"content"})[:-1], "The ZIP file is cut off: it has no end"),
        (zip_of({"a.jpg": b"content"})[30:], "The ZIP file is damaged: its directory is not where it should be"),
        (put_together([Made(name=b"a")], count=2), "The ZIP file is damaged: its directory is not where it should be"),
        (
            put_together([]).replace(b"\x06\0\0", b"\x06\1\0"),
            "The ZIP file is one of several parts. Send it whole",
        ),
    ],
)
def test_a_file_that_is_no_archive_is_called_so(file: bytes, reason: str) -> None:
    with pytest.raises(NotAnArchive, match=f"^{reason}$"):
        reading(file)


def test_an_empty_archive_has_no_entries() -> None:
    assert outcomes(reading(zip_of({}))) == {}
