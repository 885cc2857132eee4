"""Workbooks as people send them, made by other programs than the one that reads them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl
import xlwt

Rows = Sequence[Sequence[Any]]
OASIS = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = " ".join(f'xmlns:{each}="{OASIS}:{each}:1.0"' for each in ("office", "table", "text"))
ODS_CONTENT = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document-content {SPACES}><office:body><office:spreadsheet><table:table table:name="Sheet1">
{{rows}}
</table:table></office:spreadsheet></office:body></office:document-content>"""
ODS_MANIFEST = f'<manifest:manifest xmlns:manifest="{OASIS}:manifest:1.0"/>'
ODS_CELL = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'


def xlsx(sheets: Mapping[str, Rows], *, hidden: Sequence[str] = ()) -> bytes:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def xls(rows: Rows) -> bytes:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Sheet1")
    for at, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(at, column, value)
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def ods(rows: Rows) -> bytes:
    lines = "".join(f"<table:table-row>{''.join(map(ODS_CELL.format, row))}</table:table-row>" for row in rows)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", ODS_MANIFEST)
        archive.writestr("content.xml", ODS_CONTENT.format(rows=lines))
    return written.getvalue()
