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


def open_reader(file: BinaryIO, dialect: Dialect, limits: Limits) -> Reader:
    """A reader of a stored file (UTF-8, no BOM). Raises Refused for an empty file and a header that cannot be used.

    Reads no further than the header; `refuse_data_without_heading` is for whoever opens the file for the first time."""
    if file.seek(0, io.SEEK_END) == 0:
        raise Refused("empty_file", "The file has no bytes", [Complaint("file", "has no bytes")])
    return FORMATS[dialect.format](file, dialect, limits)
