"""Writes rows that PostgreSQL sends as JSON in the spelling that a mapping prescribes."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from app.exports.layout import ExportColumn, Respell, format_lines
from app.mappings.conversions import WriteColumn

decode_row = msgspec.json.Decoder(list[str | None]).decode
decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
TEXT: Final = b'"'  # that JSON text begins with


class LineRespeller:
    """Takes lines of JSON in pieces of any size, and gives the lines of the file. Blocking."""

    def __init__(self, respell: Callable[[Sequence[bytes]], bytes]) -> None:
        self._respell = respell
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return self._respell(lines) if lines else b""


def respell_rows(columns: Sequence[ExportColumn], delimiter: str) -> Respell:
    """For rows as arrays of texts and nulls: lines of CSV."""

    def respell(lines: Sequence[bytes]) -> bytes:
        cells = [list(map(spell_null, column)) for column in zip(*map(decode_row, lines), strict=True)]
        spelled = [
            cells if column.write is None else column.write(cells) for column, cells in zip(columns, cells, strict=True)
        ]
        return format_lines(list(zip(*spelled, strict=True)), delimiter)

    return LineRespeller(respell).feed


def respell_objects(columns: Sequence[ExportColumn]) -> Respell:
    """For records as JSON objects, whose texts are spelled as the mapping has them."""
    writers = {column.heading: column.write for column in columns if column.write is not None}

    def respell(lines: Sequence[bytes]) -> bytes:
        return b"".join(msgspec.json.encode(respell_object(decode_object(line), writers)) + b"\n" for line in lines)

    return LineRespeller(respell).feed


def respell_object(members: dict[str, msgspec.Raw], writers: dict[str, WriteColumn]) -> dict[str, msgspec.Raw]:
    for name in writers.keys() & members.keys():
        if bytes(members[name]).startswith(TEXT):
            text = msgspec.json.decode(members[name], type=str)
            members[name] = msgspec.Raw(msgspec.json.encode(writers[name]([text])[0]))
    return members


def spell_null(cell: str | None) -> str:
    return "" if cell is None else cell
