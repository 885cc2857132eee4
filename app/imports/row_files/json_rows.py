"""Writes rows of an import as JSON Lines, each followed by what became of it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from app.formats.detection.report_header import RESULT_COLUMNS, name_report, name_result_members
from app.formats.header import name_position
from app.formats.records import Record, UnreadableRow
from app.imports.results.csv_cells import format_json
from app.imports.row_files.csv_rows import COLUMNS, NO_REASONS, describe_unread
from app.imports.row_files.layout import RowsLayout
from app.imports.row_files.piece import Piece
from app.resources.conversion import quote_json

OURS: Final = frozenset(RESULT_COLUMNS)


class JsonRows:
    """`layout` is that of a delimited file; without one the rows come from JSON Lines, and are written byte by byte as
    they were sent unless they have members of an earlier report, or are no objects."""

    def __init__(self, layout: RowsLayout | None = None) -> None:
        self._layout = layout
        self._names = name_members(layout.written) if layout else []
        self._titles = title_report(self._names)

    def write_header(self) -> bytes:
        return b""

    def write(self, piece: Piece) -> bytes:
        """Blocking."""
        raw = piece.raw if self._layout is None and piece.raw is not None else [b""] * len(piece.lines)
        return b"".join([self._write_row(piece, index, raw[index]) for index in range(len(piece.lines))])

    def _write_row(self, piece: Piece, index: int, raw: bytes) -> bytes:
        record, reasons = piece.records[index], piece.reasons.get(index, NO_REASONS)
        if isinstance(record, UnreadableRow):
            reasons = describe_unread(reasons, record)
        titles, members = self._titles, self._name_members(record)
        sent = raw.rstrip(b" \t\r")[:-1] if raw and isinstance(record, Mapping) else b""
        if self._layout is None and not OURS.isdisjoint(members):
            earlier = name_result_members(members)
            members = {name: value for name, value in members.items() if name not in earlier}
            titles, sent = title_report(members), b"" if earlier else sent
        sent = sent or encode_json(format_json(members)[:-1])
        told = ((name, titles[name], write(piece, index, reasons)) for name, write in COLUMNS.items())
        texts = (f'"{title}":{text if name == "_line" else quote_json(text)}' for name, title, text in told)
        return sent + (b"," if members else b"") + encode_json(",".join(texts)) + b"}\n"

    def _name_members(self, record: Record | UnreadableRow) -> Mapping[str, object]:
        if isinstance(record, UnreadableRow):
            return {}
        if isinstance(record, Mapping):
            return record
        return dict(zip(self._names, self._layout.leave_out(record) if self._layout else record, strict=True))


def title_report(own: Collection[object]) -> Mapping[str, str]:
    """What each member of the report is called beside those of the sender's `own`."""
    return dict(zip(RESULT_COLUMNS, name_report(own, RESULT_COLUMNS), strict=True))


def encode_json(text: str) -> bytes:
    """Lone surrogates, and bytes that were not UTF-8, become escapes."""
    return text.encode("utf-8", "backslashreplace")


def name_members(header: Sequence[str]) -> list[str]:
    """What the cells under each heading are called in an object: a heading that is blank or there already is replaced
    by its position."""
    names: dict[str, None] = {}
    for index, heading in enumerate(header):
        names[heading if heading and heading not in names else name_position(index)] = None
    return list(names)
