"""The process that reads a workbook: it is started for one, has it as its input, and writes a sheet of it as CSV.

It imports nothing of the service but `app.workbooks`, and gets no environment: whatever a workbook makes of it finds no
secret, cannot write a file, and ends with its limits. The first line of its output is JSON that says which sheet was
read, or why none; the CSV follows. Only an exit code of 0 says that it is whole: whatever fails on the way has another
one.
"""

import csv
import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import python_calamine
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from app.workbooks.marks.marked import Marks, find_marks
from app.workbooks.spelling import spell

PASSWORD, DAMAGED, UNKNOWN_ERROR = 3, 4, 5  # exit codes, which `process.py` knows
UNKNOWN_ERROR_SAID: Final = "Unsupported cell error"  # by the library, of an error of a formula that is newer
# What a workbook with a password has: of .xlsx the name of a stream (MS-OFFCRYPTO §2.3.4), of .xls the record FilePass
# after the first one, or after WriteProtect (MS-XLS §2.1.7.20.3).
PASSWORD_MARK: Final = re.compile(
    re.escape("EncryptedPackage".encode("utf-16-le"))
    + rb"|\x09\x08\x10\x00\x00\x06\x05\x00.{12}(?:\x86\x00\x00\x00)?\x2f\x00",
    re.DOTALL,
)
ODS_MANIFEST, ODS_PASSWORD_MARK, MANIFEST_BYTES = "META-INF/manifest.xml", b"encryption-data", 1_048_576


def main() -> None:
    asked = json.loads(sys.argv[1])
    confine(asked)
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="replace", newline="")
    try:
        with CalamineWorkbook.from_filelike(sys.stdin.buffer) as workbook:
            write_sheet(workbook, asked, out)
    except python_calamine.PasswordError:
        sys.exit(PASSWORD)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  whatever the library raises of a broken workbook is the workbook's fault
        if UNKNOWN_ERROR_SAID in str(error):
            sys.exit(UNKNOWN_ERROR)
        sys.exit(PASSWORD if has_password(sys.stdin.buffer) else DAMAGED)
    out.flush()


def has_password(raw: BinaryIO) -> bool:
    """Of a workbook that cannot be read: the library tells of a password only if it knows the format before."""
    raw.seek(0)
    with suppress(zipfile.BadZipFile, KeyError, RuntimeError), zipfile.ZipFile(raw) as archive:
        return ODS_PASSWORD_MARK in archive.open(ODS_MANIFEST).read(MANIFEST_BYTES)
    raw.seek(0)
    return PASSWORD_MARK.search(raw.read()) is not None


def confine(asked: dict[str, Any]) -> None:
    """Takes from this process whatever it does not need."""
    if sys.platform == "linux":  # macOS has none of these
        with suppress(OSError):  # a machine without memory ends this process, and no other
            Path("/proc/self/oom_score_adj").write_text("1000")
        resource.setrlimit(resource.RLIMIT_AS, (asked["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (asked["cpu_seconds"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def write_sheet(workbook: CalamineWorkbook, asked: dict[str, Any], out: io.TextIOWrapper) -> None:
    sheets = [each for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    shown = [each.name for each in sheets if each.visible == SheetVisibleEnum.Visible]
    hidden = [each.name for each in sheets if each.visible != SheetVisibleEnum.Visible]
    chosen = choose_sheet([each.name for each in sheets], shown or hidden, asked["sheet"])
    told = {
        "sheet": chosen,
        "others": [name for name in shown if name != chosen],
        "hidden": [name for name in hidden if name != chosen],
    }
    if chosen is None:
        out.write(json.dumps(told | {"refused": "no_sheet"}) + "\n")
        return
    number = next(number for number, each in enumerate(workbook.sheets_metadata) if each.name == chosen)
    sheet = workbook.get_sheet_by_index(number)
    if sheet.height * sheet.width > asked["cells"]:
        out.write(json.dumps(told | {"refused": "too_large"}) + "\n")
        return
    out.write(json.dumps(told) + "\n")
    write_rows(sheet, find_marks(sys.stdin.buffer, number), out)


def choose_sheet(names: list[str], usual: list[str], wanted: str) -> str | None:
    """By name, else by number from 1 on; without a wish the first one that is not hidden."""
    if not wanted:
        return usual[0] if usual else None
    if wanted in names:
        return wanted
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 6 else 0
    return names[number - 1] if 0 < number <= len(names) else None


def write_rows(sheet: CalamineSheet, marks: Marks, out: io.TextIOWrapper) -> None:
    """Without the columns before the first value and behind the last one. A blank row is a blank line, so that a line
    of the CSV has the number of its row."""
    spans = [span for row in read_rows(sheet, marks) if (span := find_span(row))]
    first, behind = min((span[0] for span in spans), default=0), max((span[1] for span in spans), default=0)
    write = csv.writer(out, lineterminator="\n").writerow
    blank = 0
    for row in read_rows(sheet, marks):
        if not find_span(row):
            blank += 1
            continue
        out.write("\n" * blank)
        blank = 0
        cells = [spell(value) for value in row[first:behind]]
        write(cells + [""] * (behind - first - len(cells)))


def read_rows(sheet: CalamineSheet, marks: Marks) -> Iterator[list[Any]]:
    return marks.complete(sheet.iter_rows(), sheet.start[1] if sheet.start else 0)


def find_span(row: list[Any]) -> tuple[int, int] | None:
    """From the first value to behind the last one; None for a blank row."""
    used = [index for index, value in enumerate(row) if value != ""]
    return (used[0], used[-1] + 1) if used else None
