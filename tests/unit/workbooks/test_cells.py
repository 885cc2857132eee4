"""What cells of a workbook become: what a person sees in them, and nothing that nobody wrote."""

import io
import struct
from datetime import date
from typing import Final

import openpyxl
import pytest
import xlwt
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from app.workbooks.workbook import WORKBOOK_REFUSALS
from tests.support.spelled_workbooks import (
    STRICT_NAMES,
    ods_row,
    spell_ods,
    spell_text,
    spell_xlsb,
    spell_xlsx,
)
from tests.unit.workbooks.test_converter import convert, refusal

FORMATS: Final = ("00000", "yyyy-mm-dd", "0.00%", '#,##0.00\\ "€"', "[h]:mm", "h:mm", "[$-407]000;@", '"Q"0', "0.00")
# Attributes and content of a cell of .xlsx -> its CSV. The style is the place of the format, from 1 on.
CELLS: Final = {
    "leading zeros by format": ('s="1"', "<v>123</v>", "00123"),
    "more digits than zeros": ('s="1"', "<v>123456</v>", "123456"),
    "zeros with a language": ('s="7"', "<v>7</v>", "007"),
    "zeros of no whole number": ('s="1"', "<v>1.5</v>", "1.5"),
    "zeros before a text": ('s="1" t="str"', "<v>A-1</v>", "A-1"),
    "a date": ('s="2"', "<v>46085</v>", "2026-03-04"),
    "a date before the leap day that 1900 had not": ('s="2"', "<v>59</v>", "1900-02-28"),
    "a date behind it": ('s="2"', "<v>61</v>", "1900-03-01"),
    "a date and a time": ('s="2"', "<v>46085.75</v>", "2026-03-04T18:00:00"),
    "a date as text of ISO": ('t="d"', "<v>2026-03-04</v>", "2026-03-04"),
    "a percentage": ('s="3"', "<v>0.19</v>", "0.19"),
    "an amount of money": ('s="4"', "<v>1234.5</v>", "1234.5"),
    "a duration": ('s="5"', "<v>1.5</v>", "36:00:00"),
    "a time": ('s="6"', "<v>0.5</v>", "12:00:00"),
    "a letter in quotes that is no day": ('s="8"', "<v>3</v>", "3"),
    "two decimals": ('s="9"', "<v>2</v>", "2"),
    "an EAN": ("", "<v>4006381333931</v>", "4006381333931"),
    "16 digits": ("", "<v>1234567890123456</v>", "1234567890123456"),
    "an exponent": ("", "<v>1E-7</v>", "0.0000001"),
    "a sum of tenths": ("", "<v>0.30000000000000004</v>", "0.3"),
    "a boolean": ('t="b"', "<v>1</v>", "true"),
    "text with blanks": ('t="inlineStr"', '<is><t xml:space="preserve"> a </t></is>', " a "),
    "pieces of text": ('t="inlineStr"', "<is><r><t>ri</t></r><r><t>ch</t></r></is>", "rich"),
    "a formula of text": ('t="str"', "<f>A1</f><v>x</v>", "x"),
    "a formula that was never computed": ("", "<f>A1</f>", ""),
    "no value": ('t="e"', "<f>NA()</f><v>#N/A</v>", "#N/A"),
    "a place that is gone": ('t="e"', "<v>#REF!</v>", "#REF!"),
    "an error that says nothing": ('t="e"', "", "#VALUE!"),
}


def test_each_kind_of_cell_becomes_what_it_shows() -> None:
    rows = "".join(
        f'<row><c t="str"><v>{at}</v></c><c {told}>{inside}</c></row>'
        for at, (told, inside, _) in enumerate(CELLS.values())
    )
    expected = "".join(f"{at},{csv}\n" for at, (_, _, csv) in enumerate(CELLS.values()))
    assert dict(zip(CELLS, convert(spell_xlsx(rows, formats=FORMATS))[0].splitlines(), strict=True)) == dict(
        zip(CELLS, expected.splitlines(), strict=True)
    )


def test_days_are_counted_from_1904_where_the_workbook_says_so() -> None:
    rows = '<row r="1"><c r="A1" s="2"><v>44623</v></c><c r="B1" s="5"><v>1.5</v></c></row>'
    for settings in ('<workbookPr date1904="1"/>', '<workbookPr date1904="true"/>'):
        assert convert(spell_xlsx(rows, formats=FORMATS, settings=settings))[0] == "2026-03-04,36:00:00\n"


def test_a_table_may_begin_anywhere_and_an_error_may_stand_behind_the_last_value() -> None:
    rows = (
        '<row r="3"><c r="B3" t="str"><v>sku</v></c><c r="C3" t="str"><v>price</v></c></row>'
        '<row r="5"><c r="B5" t="str"><v>A-1</v></c><c r="C5" t="e"><v>#DIV/0!</v></c></row>'
        '<row r="6"><c r="C6" t="e"><v>#NAME?</v></c></row>'
    )
    for names in ({}, {"names": STRICT_NAMES}):
        assert convert(spell_xlsx(rows, **names))[0] == "\n\nsku,price\n\nA-1,#DIV/0!\n,#NAME?\n"


def test_errors_of_formulas_are_told_of_each_format() -> None:
    old = xlwt.Workbook()
    old.add_sheet("Before").write(0, 0, "other")
    sheet = old.add_sheet("Sheet1")
    for number in range(300):
        sheet.write(number, 0, f"row {number}")
    sheet.row(299).set_cell_error(1, 0x2A)
    written = io.BytesIO()
    old.save(written)
    assert convert(written.getvalue(), "Sheet1")[0].splitlines()[-2:] == ["row 298,", "row 299,#N/A"]

    place = lambda column: struct.pack("<II", column, 0)  # noqa: E731
    row = [(0, struct.pack("<I", at) + bytes(13)) for at in range(3)]
    text = (6, place(0) + spell_text("sku"))
    of_formula = (11, place(1) + b"\x07" + bytes(10))
    assert convert(spell_xlsb(row[0], text, row[1], (3, place(1) + b"\x2a"), row[2], of_formula))[0] == (
        "sku,\n,#N/A\n,#DIV/0!\n"
    )


ERROR: Final = 'office:value-type="string" office:string-value="" calcext:value-type="error"'
OPEN_CELLS: Final = {
    (ERROR, "#N/A"): "#N/A",
    (ERROR, "#NV"): "#VALUE!",  # in German
    (ERROR, "Err:502"): "#VALUE!",
    ('office:value-type="float" office:value="0"', "#DIV/0!"): "#DIV/0!",  # as OpenOffice has it
    ('office:value-type="float" office:value="123"', "00123"): "00123",
    ('office:value-type="float" office:value="0.5"', "00,50"): "0.5",
    ('office:value-type="percentage" office:value="0.19"', "19 %"): "0.19",
    ('office:value-type="currency" office:value="1.5"', "1,50 €"): "1.5",
    ('office:value-type="boolean" office:boolean-value="true"', "WAHR"): "true",
    ('office:value-type="date" office:date-value="2026-03-04"', "4.3.26"): "2026-03-04",
    ('office:value-type="time" office:time-value="PT26H30M00S"', "26:30"): "26:30:00",
    ('office:value-type="time" office:time-value="PT08H05M00S"', "8:05"): "08:05:00",
    ('office:value-type="string"', "00123"): "00123",
}


def test_cells_of_open_documents_become_what_they_show() -> None:
    heading = ("table:number-columns-repeated='2' office:value-type='string'", "h")
    rows = "".join(ods_row(("office:value-type='string'", "x"), cell) for cell in OPEN_CELLS)
    twice = ods_row(("", ""), ("table:number-columns-repeated='2' " + ERROR, "#REF!"), repeated=2)
    workbook = spell_ods(ods_row(("", "")) + ods_row(heading) + rows + twice)
    shown = "".join(f"x,{csv},\n" for csv in OPEN_CELLS.values())
    assert convert(workbook)[0] == "\nh,h,\n" + shown + ",#REF!,#REF!\n" * 2


def test_an_error_that_the_library_does_not_know_refuses_the_workbook_by_name() -> None:
    rows = '<row r="1"><c r="A1" t="e"><v>#SPILL!</v></c></row>'
    assert refusal(spell_xlsx(rows)) == WORKBOOK_REFUSALS["unknown_error"]


def test_what_is_hidden_merged_or_broken_into_lines_is_read_as_it_is() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (
        ["sku", "name", "day"],
        ["A-1", "first\nsecond", date(2026, 3, 4)],
        ["A-2", "x", None],
        ["A-3", "y", None],
    ):
        sheet.append(row)
    sheet["B4"] = CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"))
    sheet.merge_cells("C2:C3")
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["A"].hidden = True
    codes = workbook.create_sheet("Codes", 0)
    codes.sheet_state = "veryHidden"
    codes["A1"] = "secret"
    written = io.BytesIO()
    workbook.save(written)
    text, read = convert(written.getvalue())
    assert text == 'sku,name,day\nA-1,"first\nsecond",2026-03-04\nA-2,x,\nA-3,plain bold,\n'
    assert read.hidden == ("Codes",)


@pytest.mark.slow  # 20 s
def test_a_million_rows_are_read_and_bombs_are_refused() -> None:
    cells = "".join(
        f'<row r="{at}"><c r="A{at}" s="1"><v>{at}</v></c><c r="B{at}"><v>{at}.5</v></c></row>'
        for at in range(1, 1_048_577)
    )
    text, _ = convert(spell_xlsx(cells, formats=FORMATS), limit=50_000_000)
    assert text.endswith("\n1048576,1048576.5\n")
    assert text.startswith("00001,1.5\n")
    assert text.count("\n") == 1_048_576
    for bomb in (f"<row><c t='str'><v>{'x' * 700_000_000}</v></c></row>", " " * 1_400_000_000):
        assert refusal(spell_xlsx(bomb)) == WORKBOOK_REFUSALS["too_large"]
