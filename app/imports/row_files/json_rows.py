"""Writes rows of an import as JSON Lines, each followed by what became of it."""

from collections.abc import Mapping, Sequence
from typing import Final

from app.formats.detection.report_header import RESULT_COLUMNS, name_result_members
from app.formats.header import name_position
from app.formats.records import Record, UnreadableRow
from app.imports.results.csv_cells import format_json
from app.imports.row_files.csv_rows import COLUMNS, NO_REASONS, describe_unread
from app.imports.row_files.piece import Piece
from app.resources.conversion import quote_json

OWN: Final = tuple(f'"{name}"'.encode() for name in RESULT_COLUMNS)


class JsonRows:
    """`names` are those of the cells of a delimited file; without them the rows come from JSON Lines, and are written
    byte by byte as they were sent unless they have members of an earlier report, or are no objects."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = names

    def write_header(self) -> bytes:
        return b""

    def write(self, piece: Piece) -> bytes:
        """Blocking."""
        raw = piece.raw if not self._names and piece.raw is not None else [b""] * len(piece.lines)
        return b"".join([self._write_row(piece, index, raw[index]) for index in range(len(piece.lines))])

    def _write_row(self, piece: Piece, index: int, raw: bytes) -> bytes:
        record, reasons = piece.records[index], piece.reasons.get(index, NO_REASONS)
        if isinstance(record, UnreadableRow):
            reasons = describe_unread(reasons, record)
        told = {name: write(piece, index, reasons) for name, write in COLUMNS.items()}
        if raw and isinstance(record, Mapping) and not any(each in raw for each in OWN):
            members, sent = record, raw.rstrip(b" \t\r")[:-1]
        else:
            members = self._list_members(record)
            told = {name: text for name, text in told.items() if name not in members}
            sent = encode_json(format_json(members)[:-1])
        texts = (f'"{name}":{text if name == "_line" else quote_json(text)}' for name, text in told.items())
        return sent + (b"," if members else b"") + encode_json(",".join(texts)) + b"}\n"

    def _list_members(self, record: Record | UnreadableRow) -> Mapping[str, object]:
        """Without those of an earlier report."""
        if isinstance(record, UnreadableRow):
            return {}
        named = record if isinstance(record, Mapping) else dict(zip(self._names, record, strict=True))
        earlier = name_result_members(named)
        return {name: value for name, value in named.items() if name not in earlier}


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
