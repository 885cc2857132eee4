"""Recognises files that are not text by their first bytes: workbooks, archives, documents, pictures, databases."""

import re
from typing import Final

from app.errors import Complaint, Refused

SIGNATURE_BYTES: Final = 512  # of the beginning, as sent but unpacked

AS_CSV: Final = "Open it in the program that made it, and save it as CSV"
UNPACK: Final = "Unpack it, and send the file inside. Only gzip is unpacked on arrival"
EXPORT: Final = "Export its data as CSV or JSON Lines"

# What the names inside a ZIP tell, in this order. An Office document begins with the names of its parts.
ZIPPED: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"opendocument.spreadsheet", "a spreadsheet workbook (.ods)", AS_CSV),
    (b"opendocument", "an OpenDocument file", AS_CSV),
    (b"word/", "a text document (.docx)", AS_CSV),
    (b"ppt/", "a presentation (.pptx)", AS_CSV),
    (b"xl/", "a spreadsheet workbook (.xlsx)", AS_CSV),
    (b"[Content_Types].xml", "a spreadsheet workbook (.xlsx)", AS_CSV),
    (b"_rels/.rels", "a spreadsheet workbook (.xlsx)", AS_CSV),
    (b"docProps/", "a spreadsheet workbook (.xlsx)", AS_CSV),
    (b"Index/", "a spreadsheet workbook (.numbers)", AS_CSV),
)
OLD_WORKBOOK: Final = "a spreadsheet workbook (.xls, or .xlsx with a password)"
READABLE: Final = frozenset({"a spreadsheet workbook (.ods)", "a spreadsheet workbook (.xlsx)", OLD_WORKBOOK})
ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
SIGNATURES: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLD_WORKBOOK, AS_CSV),
    (b"%PDF-", "a PDF document", EXPORT),
    (b"PAR1", "a Parquet file", EXPORT),
    (b"SQLite format 3\0", "an SQLite database", EXPORT),
    (b"Obj\x01", "an Avro file", EXPORT),
    (b"ARROW1\0\0", "an Arrow file", EXPORT),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"\xfd7zXZ\0", "a file packed with xz", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a file packed with Zstandard", UNPACK),
    (b"\x1f\x8b", "a file packed with gzip twice", "Pack it once"),
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)", EXPORT),
    (b"\xff\xd8\xff", "a picture (JPEG)", EXPORT),
    (b"GIF87a", "a picture (GIF)", EXPORT),
    (b"GIF89a", "a picture (GIF)", EXPORT),
)
# Its mark is that of UTF-16 and a NUL, so some characters have to follow.
UTF32: Final = re.compile(rb"\xff\xfe\0\0(?:[^\0].\0\0){4}|\0\0\xfe\xff(?:\0\0.[^\0]){4}", re.DOTALL)
BZIP2: Final = re.compile(rb"BZh[1-9]1AY&SY")
TAR_AT: Final = 257  # where a tar archive says that it is one


def recognise_binary(head: bytes) -> Refused | None:
    """The refusal, "unreadable_file", of a file that begins with these SIGNATURE_BYTES, if it is not text."""
    found = _find_kind(head)
    return foreign_file(*found) if found else None


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins with these SIGNATURE_BYTES may be a workbook that can be read."""
    found = _find_kind(head)
    return found is not None and found[0] in READABLE


def foreign_file(kind: str, remedy: str) -> Refused:
    """`kind` is what the file is, `remedy` what to do."""
    detail = f"The file is {kind}, not CSV or JSON Lines. {remedy}"
    return Refused("unreadable_file", detail, [Complaint("file", detail)])


def _find_kind(head: bytes) -> tuple[str, str] | None:
    if head.startswith(ZIP):
        inside = (each[1:] for each in ZIPPED if each[0] in head)
        kind, remedy = next(inside, ("a ZIP archive", UNPACK))
        return kind, remedy
    if UTF32.match(head):
        return "text in UTF-32", "Save it as UTF-8"
    if BZIP2.match(head):
        return "a file packed with bzip2", UNPACK
    if head[TAR_AT:].startswith(b"ustar"):
        return "a tar archive", UNPACK
    return next(((kind, remedy) for magic, kind, remedy in SIGNATURES if head.startswith(magic)), None)
