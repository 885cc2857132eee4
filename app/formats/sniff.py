"""Detects how a file is to be read where the request does not say: its format and its delimiter."""

import csv
import io
from pathlib import PurePosixPath

from app.errors import Complaint, Refused, join_choices
from app.formats.detection.report_header import read_report_delimiter
from app.formats.detection.separator_line import read_separator_line
from app.formats.records import Dialect

# In this order if several delimiters fit equally well.
DELIMITERS = (",", ";", "\t", "|")
AUTO = "auto"
SPELLED_OUT = {"tab": "\t", "\\t": "\t"}

DECLARED_FORMATS: dict[str, str] = {
    "csv": "csv",
    "tsv": "csv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json-lines": "jsonl",
}
EXTENSIONS: dict[str, str] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
SNIFFED_BYTES = 65_536  # of the beginning of the file, to find the delimiter


def detect_dialect(head: bytes, *, declared_format: str | None, file_name: str | None, delimiter: str) -> Dialect:
    """How to read the file that begins with `head` (UTF-8). `delimiter` is one of DELIMITERS or AUTO. A line `sep=;` in
    the file decides, and so does the header of a file of failed rows, whatever the request says. Raises Refused for a
    format or delimiter that does not exist."""
    report_delimiter = read_report_delimiter(head)
    if report_delimiter:  # failed rows are CSV even if the file was JSON Lines
        return Dialect("csv", report_delimiter)
    file_format = _detect_format(head, declared_format, file_name)
    if file_format == "jsonl":
        return Dialect(file_format)
    delimiter = SPELLED_OUT.get(delimiter, delimiter)
    if delimiter not in (*DELIMITERS, AUTO):
        raise _invalid("delimiter", 'a comma, a semicolon, a tab, a vertical bar or "auto"')
    separator_line = read_separator_line(head.lstrip(b"\r\n"))
    if separator_line:
        return Dialect(file_format, _check_delimiter(separator_line.delimiter))
    return Dialect(file_format, sniff_delimiter(head) if delimiter == AUTO else delimiter)


def sniff_delimiter(head: bytes) -> str:
    """The delimiter that splits most records into as many cells as the header has; among equals, the one that gives
    more cells."""
    text = _cut_last_line(head[:SNIFFED_BYTES]).decode("utf-8", "surrogateescape")
    # max() keeps the first of equals.
    return max(DELIMITERS, key=lambda delimiter: _rate(text, delimiter))


def _check_delimiter(delimiter: str) -> str:
    """The delimiter that a line `sep=` names."""
    if delimiter in DELIMITERS:
        return delimiter
    reason = (
        f"The line `sep={delimiter}` of the file names a delimiter that cannot be read. "
        "Separate the cells by a comma, a semicolon, a tab or a vertical bar"
    )
    raise Refused("invalid", reason, [Complaint("file", reason)])


def _detect_format(head: bytes, declared: str | None, file_name: str | None) -> str:
    if declared is not None:
        if declared.lower() not in DECLARED_FORMATS:
            raise _invalid("format", f"one of {join_choices(DECLARED_FORMATS)}")
        return DECLARED_FORMATS[declared.lower()]
    path = PurePosixPath((file_name or "").lower().removesuffix(".gz"))
    return EXTENSIONS.get(path.suffix) or ("jsonl" if head.lstrip().startswith(b"{") else "csv")


def _cut_last_line(head: bytes) -> bytes:
    # The last line may be incomplete. If there is no other, it has to do.
    return head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1] or head


def _rate(text: str, delimiter: str) -> tuple[float, int]:
    """The share of records that are as wide as the header, and that width."""
    # Not strict: a broken quote must not hide the records after it.
    try:
        widths = [len(record) for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if record]
    except csv.Error:
        return 0.0, 0
    columns = widths[0] if widths else 0
    return (widths.count(columns) / len(widths), columns) if columns > 1 else (0.0, 0)


def _invalid(name: str, allowed: str) -> Refused:
    complaint = Complaint(name, f"`{name}` must be {allowed}")
    return Refused("invalid", complaint.reason, [complaint])
