"""Writes changes of records as a file: JSON Lines with a change a line, or CSV with a field a line."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from app.runs.changes.change import RecordChange

Format = Literal["csv", "jsonl"]
COLUMNS: Final = ("type", "key", "outcome", "row", "field", "before", "after")


@dataclass(frozen=True, slots=True)
class ChangesFormat:
    """What a file of changes is called on the wire, how it begins, and how some changes are written."""

    media_type: str
    head: bytes
    write: Callable[[Sequence[RecordChange]], bytes]


_decode_text = msgspec.json.Decoder(str).decode
write_lines = msgspec.json.Encoder().encode_lines


def write_csv(changes: Sequence[RecordChange]) -> bytes:
    """A text as it is, any other value as JSON, nothing for a field that is not there."""
    return format_rows(
        (
            change.type,
            change.key,
            change.outcome,
            "" if change.row is UNSET else change.row,
            field.field,
            format_value(field.before),
            format_value(field.after),
        )
        for change in changes
        for field in change.fields
    )


def format_value(value: Raw | UnsetType) -> str:
    if value is UNSET:
        return ""
    text = bytes(value)
    return _decode_text(text) if text.startswith(b'"') else text.decode()


def format_rows(rows: Iterable[Sequence[object]]) -> bytes:
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\r\n").writerows(rows)
    return lines.getvalue().encode()


FORMATS: Final[Mapping[Format, ChangesFormat]] = {
    "csv": ChangesFormat("text/csv; charset=utf-8", format_rows([COLUMNS]), write_csv),
    "jsonl": ChangesFormat("application/jsonl", b"", write_lines),
}


async def write_file(pages: AsyncIterator[Sequence[RecordChange]], format: Format) -> AsyncIterator[bytes]:
    """The file, a piece for each page of changes."""
    chosen = FORMATS[format]
    yield chosen.head
    async for page in pages:
        yield await asyncio.to_thread(chosen.write, page)
