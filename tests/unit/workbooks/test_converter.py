"""What becomes of the cells of a workbook, and of workbooks that are none, or too much."""

import io
import tempfile
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from app.errors import Refused
from app.workbooks.process import convert_workbook
from app.workbooks.workbook import WORKBOOK_REFUSALS, ReadSheet, WorkbookLimits
from tests.support.workbooks import ods, xls, xlsx

LIMIT = 1_000_000


def convert(data: bytes, sheet: str = "", *, limit: int = LIMIT, **limits: Any) -> tuple[str, ReadSheet]:
    pieces: list[bytes] = []
    with tempfile.TemporaryFile() as raw:
        raw.write(data)
        raw.flush()
        read = convert_workbook(raw, sheet, pieces.append, limit=limit, limits=WorkbookLimits(**limits))
    return b"".join(pieces).decode(), read


def refusal(data: bytes, sheet: str = "", **limits: Any) -> str:
    with pytest.raises(Refused) as refused:
        convert(data, sheet, **limits)
    assert refused.value.code == "unreadable_file"
    return refused.value.detail


def test_cells_become_what_they_say() -> None:
    row = [
        4006381333931,
        0.1 + 0.2,
        1e20,
        -1.5,
        True,
        date(2026, 3, 4),
        datetime(2026, 3, 4, 12, 30, 15),  # noqa: DTZ001  a workbook knows no zones
        time(8, 5),
        timedelta(hours=26, minutes=30),
        "00123",
        'a "quoted", cell',
    ]
    text, _ = convert(xlsx({"Sheet1": [row]}))
    assert text == (
        "4006381333931,0.3,100000000000000000000,-1.5,true,2026-03-04,2026-03-04T12:30:15,08:05:00,26:30:00,00123,"
        '"a ""quoted"", cell"\n'
    )


def test_a_line_has_the_number_of_its_row_and_blank_edges_are_left_out() -> None:
    rows = [[], [None, "sku", "price", None], [], [None, "A-1", 1.5, None], [None, "A-2", None, None], [], [None, None]]
    assert convert(xlsx({"Sheet1": rows}))[0] == "\nsku,price\n\nA-1,1.5\nA-2,\n"


def test_each_format_is_read() -> None:
    rows = [["sku", "name"], ["A-1", "Größe"]]
    assert {convert(make(rows))[0] for make in (xls, ods, lambda rows: xlsx({"Sheet1": rows}))} == {
        "sku,name\nA-1,Größe\n"
    }


def test_the_first_sheet_that_is_not_hidden_is_read_or_one_by_name_or_number() -> None:
    workbook = xlsx({"Codes": [["c"]], "Prices": [["p"]], "2026": [["y"]]}, hidden=["Codes"])
    text, read = convert(workbook)
    assert (text, read) == ("p\n", ReadSheet("Prices", ("2026",), ("Codes",)))
    assert "Only the sheet `Prices` was read, not `2026` and `Codes` (hidden)" in read.describe_others()
    assert [convert(workbook, sheet)[0] for sheet in ("Codes", "1", "2026", "3")] == ["c\n", "c\n", "y\n", "y\n"]
    for sheet in ("prices", "0", "4"):
        known = f"The workbook has no sheet `{sheet}`. It has `Prices`, `2026` and `Codes`"
        assert refusal(workbook, sheet) == known


def test_a_cell_that_cannot_be_read_refuses_the_workbook_instead_of_becoming_its_content() -> None:
    rows: list[list[Any]] = [["sku", "hours"], ["A-1", timedelta(hours=1)]]
    workbook = xlsx({"Sheet1": rows})
    shown_as_duration = rewrite(workbook, b"<v>0.04166666666666666</v>", b"<v>1e300</v>")
    assert refusal(shown_as_duration) == WORKBOOK_REFUSALS["damaged"]


def test_a_password_is_told_of_each_format() -> None:
    begins = b"\x09\x08\x10\x00\x00\x06\x05\x00"  # the first record of a workbook, of 20 bytes
    old = xls([["sku"]])
    second = old.index(begins) + 20
    file_pass = old[:second] + b"\x2f\x00" + old[second + 2 :]
    entry = old.index("Workbook".encode("utf-16-le"))
    name = "EncryptedPackage".encode("utf-16-le")
    encrypted = old[:entry] + name.ljust(64, b"\0") + bytes([len(name) + 2]) + old[entry + 65 :]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest:manifest><manifest:encryption-data/></manifest:manifest>")
        archive.writestr("content.xml", bytes(range(256)))
    for workbook in (file_pass, encrypted, written.getvalue()):
        assert refusal(workbook) == WORKBOOK_REFUSALS["password"]


def test_a_sheet_may_be_asked_for_by_a_name_longer_than_any() -> None:
    assert refusal(xlsx({"Sheet1": [["sku"]]}), "z" * 200_000).endswith("It has `Sheet1`")


def far_cell() -> bytes:
    """A small workbook whose sheet has seventeen thousand million cells."""
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return rewrite(xlsx({"Sheet1": [["first"]]}), b"</sheetData>", far)


def rewrite(workbook: bytes, part: bytes, by: bytes) -> bytes:
    """With a part of its first sheet replaced, which has to be there."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("sheet1.xml"):
                assert part in content
                content = content.replace(part, by)
            new.writestr(name, content)
    return written.getvalue()


def test_what_is_no_workbook_or_too_much_is_refused_by_name() -> None:
    small = xlsx({"Sheet1": [[number, number] for number in range(100)]})
    assert refusal(small[: len(small) // 2]) == WORKBOOK_REFUSALS["damaged"]
    assert refusal(b"PK\3\4 no workbook") == WORKBOOK_REFUSALS["damaged"]
    assert refusal(small, cells=199) == WORKBOOK_REFUSALS["too_large"]
    assert refusal(small, limit=500) == WORKBOOK_REFUSALS["too_large"]
    assert refusal(small, seconds=0.0) == WORKBOOK_REFUSALS["too_slow"]
    assert refusal(far_cell()) == WORKBOOK_REFUSALS["too_large"]
