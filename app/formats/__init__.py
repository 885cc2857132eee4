"""The file formats that can be read: bytes in, batches of records out."""

import io
from collections.abc import Callable
from typing import BinaryIO

from app.errors import Complaint, Refused
from app.formats.delimited import DelimitedReader
from app.formats.header import refuse_data_without_heading
from app.formats.json_lines import JsonLinesReader
from app.formats.records import Dialect, Limits, Reader

__all__ = ["FORMATS", "open_reader", "refuse_data_without_heading"]

FORMATS: dict[str, Callable[[BinaryIO, Dialect, Limits], Reader]] = {
    "csv": DelimitedReader,
    "jsonl": JsonLinesReader,
}

EMPTY = "The file is empty"


def open_reader(file: BinaryIO, dialect: Dialect, limits: Limits) -> Reader:
    """Opens a stored file (UTF-8, no byte order mark) and reads its header only. Raises Refused for an empty file and
    for a header that cannot be used. Whoever opens a file for the first time also calls
    `refuse_data_without_heading`."""
    if file.seek(0, io.SEEK_END) == 0:
        raise Refused("empty_file", EMPTY, [Complaint("file", EMPTY)])
    return FORMATS[dialect.format](file, dialect, limits)
