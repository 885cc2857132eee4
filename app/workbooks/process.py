"""Reads a workbook in a process of its own, and passes on the CSV that comes of it."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from signal import SIGKILL, SIGXCPU
from typing import IO, BinaryIO, Final

import msgspec

from app.errors import Retryable
from app.workbooks.workbook import ReadSheet, WorkbookLimits, refuse_sheet, refuse_workbook

# The process imports `app.workbooks` without `app` itself, which gets everything ready for a service. The converter is
# never imported here: it would load the library.
SCRIPT: Final = (
    "import sys, types; app = sys.modules['app'] = types.ModuleType('app'); app.__path__ = [sys.argv.pop(1)]; "
    "from app.workbooks.converter import main; main()"
)
FOLDER: Final = str(Path(__file__).parents[1])
LINE_BYTES: Final = 1_048_576  # that the names of all sheets may take
PIECE_BYTES: Final = 32_768
LONGEST_SHEET: Final = 1_000  # characters: no program gives a sheet a longer name, and an argument has a limit
# Exit code of the process -> why the workbook is refused. With any other one it got no memory: a library in Rust ends
# its process then.
REFUSED_BY_CODE: Final = {3: "password", 4: "damaged", 5: "unknown_error", -SIGXCPU: "too_slow", -SIGKILL: "too_slow"}


class ConverterAway(Retryable):
    """The process cannot be started at the moment."""

    part = "machine"

    def __str__(self) -> str:
        return "No process for workbooks can be started. Check the machine's memory and its limits"


class Told(msgspec.Struct):
    """What the process tells before the CSV."""

    sheet: str | None = None
    others: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    refused: str = ""


decode_told = msgspec.json.Decoder(Told).decode


def convert_workbook(
    raw: BinaryIO, sheet: str, write: Callable[[bytes], object], *, limit: int, limits: WorkbookLimits
) -> ReadSheet:
    """Writes a sheet as CSV: comma, UTF-8, at most `limit` bytes. `raw` is a file with a descriptor; `sheet` a name, a
    number from 1 on, or "" for the first one that is not hidden. Blocking. Raises Refused("unreadable_file"),
    ConverterAway."""
    with start(raw, sheet, limits) as process:
        clock = threading.Timer(limits.seconds, process.kill)
        clock.start()
        try:
            told, size = take(process.stdout, write, limit)  # type: ignore[arg-type]
            if size > limit:
                raise refuse_workbook("too_large")
            code = process.wait()
        finally:
            clock.cancel()
            process.kill()
    if code or told is None:
        raise refuse_workbook(REFUSED_BY_CODE.get(code, "too_large"))
    return check(told, sheet)


def start(raw: BinaryIO, sheet: str, limits: WorkbookLimits) -> "subprocess.Popen[bytes]":
    """Without environment, and without the signals of a terminal."""
    asked = msgspec.json.encode(asdict(limits) | {"sheet": sheet[:LONGEST_SHEET]}).decode()
    os.lseek(raw.fileno(), 0, os.SEEK_SET)
    try:
        return subprocess.Popen(  # noqa: S603  a script of ours
            (sys.executable, "-I", "-B", "-c", SCRIPT, FOLDER, asked),
            stdin=raw,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )
    except OSError as error:
        raise ConverterAway from error


def take(pipe: IO[bytes], write: Callable[[bytes], object], limit: int) -> tuple[Told | None, int]:
    """What was told, None for a process that told nothing, and the bytes of CSV, which are no longer read beyond the
    limit."""
    line = pipe.readline(LINE_BYTES)
    size = 0
    while size <= limit and (piece := pipe.read(PIECE_BYTES)):
        size += len(piece)
        write(piece)
    try:
        return decode_told(line), size
    except msgspec.DecodeError:
        return None, size


def check(told: Told, wanted: str) -> ReadSheet:
    """Raises Refused."""
    sheet = ReadSheet(told.sheet or "", told.others, told.hidden)
    if told.refused == "no_sheet":
        raise refuse_sheet(wanted, sheet) if told.others or told.hidden else refuse_workbook("damaged")
    if told.refused:
        raise refuse_workbook(told.refused)
    return sheet
