"""Workbooks of which every byte is known: what programs write and the libraries of the tests cannot."""

import html
import io
import struct
import zipfile
from collections.abc import Iterable, Mapping
from typing import Final

SHEET_NAMES: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT_NAMES: Final = "http://purl.oclc.org/ooxml/spreadsheetml/main"
LINK_NAMES: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_NAMES: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns"
CALC_NAMES: Final = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"


def pack(parts: Mapping[str, str | bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return written.getvalue()


def link(target: str, kind: str = "worksheet") -> str:
    kind = f"{LINK_NAMES}/{kind}"
    relationship = f'<Relationship Id="r1" Type="{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{PACKAGE_NAMES}">{relationship}</Relationships>'


def spell_xlsx(rows: str, *, formats: Iterable[str] = (), settings: str = "", names: str = SHEET_NAMES) -> bytes:
    """`rows` are the elements of its sheet; style 1 is the first of the `formats`."""
    numbers = "".join(
        f'<numFmt numFmtId="{164 + at}" formatCode="{html.escape(code)}"/>' for at, code in enumerate(formats)
    )
    styles = "".join(f'<xf numFmtId="{each}"/>' for each in (0, *range(164, 164 + numbers.count("<"))))
    styles = f"<numFmts>{numbers}</numFmts><cellXfs>{styles}</cellXfs>"
    sheets = f'{settings}<sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets>'
    return pack(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": link("xl/workbook.xml", "officeDocument"),
            "xl/workbook.xml": f'<workbook xmlns="{names}" xmlns:r="{LINK_NAMES}">{sheets}</workbook>',
            "xl/_rels/workbook.xml.rels": link("worksheets/sheet1.xml"),
            "xl/styles.xml": f'<styleSheet xmlns="{names}">{styles}</styleSheet>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{names}"><sheetData>{rows}</sheetData></worksheet>',
        }
    )


def spell_ods(rows: str) -> bytes:
    """`rows` are the elements of its table."""
    spaces = " ".join(f'xmlns:{each}="{OASIS}:{each}:1.0"' for each in ("office", "table", "text"))
    table = f'<office:spreadsheet><table:table table:name="Sheet1">{rows}</table:table></office:spreadsheet>'
    spaces = f'{spaces} xmlns:calcext="{CALC_NAMES}"'
    body = f"<office:body>{table}</office:body>"
    return pack(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": f"<office:document-content {spaces}>{body}</office:document-content>",
        }
    )


def ods_row(*cells: tuple[str, str], repeated: int = 1) -> str:
    """Each cell has its attributes and what it shows."""
    shown = "".join(f"<table:table-cell {told}><text:p>{text}</text:p></table:table-cell>" for told, text in cells)
    return f'<table:table-row table:number-rows-repeated="{repeated}">{shown}</table:table-row>'


def spell_xlsb(*records: tuple[int, bytes]) -> bytes:
    """`records` are those of the data of its sheet, each with its type."""
    bundle = struct.pack("<II", 0, 1) + spell_text("r1") + spell_text("Sheet1")
    book = [(131, b""), (143, b""), (156, bundle), (144, b""), (132, b"")]
    sheet = [(129, b""), (148, struct.pack("<IIII", 0, 9, 0, 9)), (145, b""), *records, (146, b""), (130, b"")]
    return pack(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": link("xl/workbook.bin", "officeDocument"),
            "xl/workbook.bin": b"".join(spell_record(*each) for each in book),
            "xl/_rels/workbook.bin.rels": link("worksheets/sheet1.bin"),
            "xl/worksheets/sheet1.bin": b"".join(spell_record(*each) for each in sheet),
        }
    )


def spell_record(kind: int, data: bytes) -> bytes:
    """Of .xlsb; `data` has less than 128 bytes."""
    return (bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])) + bytes([len(data)]) + data


def spell_text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
