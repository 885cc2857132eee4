"""Writes rows of an import as CSV, each followed by what became of it."""

import codecs
import csv
from collections.abc import Callable, Mapping, Sequence
from operator import add
from typing import Final

from app.formats.detection.report_header import RESULT_COLUMNS, name_report
from app.formats.quoting import are_quotes_regular
from app.formats.records import UnreadableRow
from app.imports.results.csv_cells import encode_text, format_lines
from app.imports.row_files.layout import RowsLayout, build_cells, flatten_record
from app.imports.row_files.piece import Piece, Reasons

NO_REASONS: Final = Reasons((), ())
COLUMNS: Final[Mapping[str, Callable[[Piece, int, Reasons], str]]] = {
    "_line": lambda piece, index, _: str(piece.lines[index]),
    "_outcome": lambda piece, index, _: piece.outcomes[index],
    "_key": lambda piece, index, _: piece.keys[index],
    "_codes": lambda _piece, _index, reasons: " ".join(reasons.codes),
    "_messages": lambda _piece, _index, reasons: "; ".join(reasons.messages),
}


def describe_unread(reasons: Reasons, record: UnreadableRow) -> Reasons:
    """The text of an unreadable row follows the messages, so that it can be corrected."""
    return Reasons(reasons.codes, [f"{'; '.join(reasons.messages)}. The row as sent: {record.raw}"])


class CsvRows:
    """`report` are the columns that tell what became of a row. `as_sent`: the rows come from a delimited file, and what
    has nothing to tell but its outcome is written byte by byte as it was sent, because that takes half the time."""

    def __init__(self, layout: RowsLayout, report: Sequence[str], *, as_sent: bool) -> None:
        self._layout, self._report = layout, report
        self._columns = {name: index for index, name in enumerate(layout.header)}
        self._as_sent = as_sent and not layout.dropped and tuple(report) == RESULT_COLUMNS
        self._special = (layout.delimiter, '"', "\r", "\n")

    def write_header(self) -> bytes:
        """The mark wins over the `encoding` that the first file was sent with, and spreadsheets need it to see
        UTF-8."""
        own = self._layout.written
        return codecs.BOM_UTF8 + format_lines([[*own, *name_report(own, self._report)]], self._layout.delimiter)

    def write(self, piece: Piece) -> bytes:
        """Blocking."""
        if self._as_sent and piece.raw is not None and 2 * len(piece.reasons) < len(piece.lines):
            return self._write_as_sent(piece, piece.raw)
        rows = (self._build_row(piece, index) for index in range(len(piece.lines)))
        return format_lines(rows, self._layout.delimiter)

    def _write_as_sent(self, piece: Piece, raw: Sequence[bytes]) -> bytes:
        others = set(piece.reasons)
        others |= self._find_irregular(piece, raw)
        if any(special in "\0".join(piece.keys) for special in self._special):
            others |= {index for index, key in enumerate(piece.keys) if any(each in key for each in self._special)}
        keys = ["" if index in others else key for index, key in enumerate(piece.keys)] if others else piece.keys
        rows, end = zip(piece.lines, piece.outcomes, keys, strict=True), self._layout.delimiter
        told = "".join([f"{end}{line}{end}{outcome}{end}{key}{end}{end}\r\n" for line, outcome, key in rows])
        written = list(map(add, raw, encode_text(told).splitlines(keepends=True)))
        for index in others:
            written[index] = format_lines([self._build_row(piece, index)], self._layout.delimiter)
        return b"".join(written)

    def _find_irregular(self, piece: Piece, raw: Sequence[bytes]) -> set[int]:
        """The lines of which not every reader makes the same cells. All of them are looked at as one text, and one by
        one only if there is something odd about that."""
        text = b"\n".join(raw)
        if b'"' not in text:
            return set()
        if are_quotes_regular(text.split(b'"'), (self._layout.delimiter.encode(), b"\r", b"\n")):
            return set()
        return {index for index, line in enumerate(raw) if b'"' in line and not self._is_regular(piece, index, line)}

    def _is_regular(self, piece: Piece, index: int, line: bytes) -> bool:
        """Whether every reader makes the same cells of the line: not all of them know a blank before a quote."""
        try:
            (cells,) = csv.reader([line.decode()], delimiter=self._layout.delimiter, strict=True)
        except (csv.Error, UnicodeDecodeError, ValueError):
            return False
        return cells == list(piece.records[index])  # type: ignore[arg-type]

    def _build_row(self, piece: Piece, index: int) -> list[str]:
        record, reasons = piece.records[index], piece.reasons.get(index, NO_REASONS)
        if self._layout.nested:
            record = flatten_record(record)
        if isinstance(record, UnreadableRow):
            reasons = describe_unread(reasons, record)
        cells = self._layout.leave_out(build_cells(self._layout, self._columns, record))
        return [*cells, *(COLUMNS[name](piece, index, reasons) for name in self._report)]
