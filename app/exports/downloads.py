"""Opens the file of an export for a download: as it was written, or made for spreadsheets."""

import asyncio
import codecs
import gzip
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from typing import BinaryIO, Final

from app.errors import Complaint, Refused
from app.exports.layout import FileOptions, load_file_options
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.blobs import BlobDamaged, BlobMissing

PIECE_BYTES: Final = 262_144
NOT_ENDED: Final = "The file of this export is not complete yet. Wait until the export has ended"
NO_FILE: Final = "This export has no file, because it failed. Its failure says why"
NOT_CSV: Final = "Only CSV files are made for spreadsheets, and the file of this export is JSON Lines"

Guard = Callable[[str], str]


async def open_export_file(runtime: Runtime, run: Run) -> BinaryIO:
    """Raises Refused: export_not_ended; not_found if the export failed; gone if the file is lost or damaged."""
    if run.blob is None:
        raise Refused("not_found", NO_FILE) if run.done else Refused("export_not_ended", NOT_ENDED)
    try:
        return await asyncio.to_thread(runtime.blobs.open, run.blob, run.blob_digests)
    except BlobMissing:
        raise Refused("gone", "The file of this export is no longer stored") from None
    except BlobDamaged:
        raise Refused("gone", "The stored file of this export is damaged") from None


async def open_for_spreadsheet(runtime: Runtime, run: Run) -> AsyncIterator[bytes]:
    """The file, unpacked, a piece at a time. UTF-8 begins with a byte order mark, without which spreadsheets read
    another encoding.

    Raises Refused: invalid for another format, and as `open_export_file` does. The pieces raise BlobDamaged,
    BlobsUnavailable."""
    options = load_file_options(run)
    if options.format != "csv":
        raise Refused("invalid", NOT_CSV, [Complaint("spreadsheet", NOT_CSV)])
    return read_pieces(runtime, run, await open_export_file(runtime, run), options)


async def read_pieces(runtime: Runtime, run: Run, file: BinaryIO, options: FileOptions) -> AsyncIterator[bytes]:
    with closing(file):
        pieces = guard_file(file, options)
        # Nobody's turn lasts while bytes travel to a client that may be slow.
        while piece := await read_piece(runtime, run, pieces):
            yield piece


async def read_piece(runtime: Runtime, run: Run, pieces: Iterator[bytes]) -> bytes:
    """The next piece; b"" at the end."""
    async with runtime.heavy_reads.turn(run.account_id, begun=True):
        return await asyncio.to_thread(next, pieces, b"")


def guard_file(file: BinaryIO, options: FileOptions) -> Iterator[bytes]:
    """The file as it is sent. Blocking."""
    plain = gzip.GzipFile(fileobj=file) if options.gzip else file
    decode = codecs.getincrementaldecoder(options.encoding)().decode
    encode = codecs.getincrementalencoder("utf-8-sig" if options.encoding == "utf-8" else options.encoding)().encode
    guard, text, more = compile_guard(options.delimiter), "", True
    while more:
        data = plain.read(PIECE_BYTES)
        more = data != b""
        text += decode(data, not more)
        end = find_record_end(text) if more else len(text)
        if piece := encode(guard(text[:end]), not more):
            yield piece
        text = text[end:]


def find_record_end(text: str) -> int:
    """The end of the last line end that is in no quotes; 0 if there is none. The text begins with a record."""
    end, quotes = len(text), text.count('"')
    while (at := text.rfind("\n", 0, end)) >= 0:
        quotes -= text.count('"', at, end)
        if quotes % 2 == 0:
            return at + 1
        end = at
    return 0


def compile_guard(delimiter: str) -> Guard:
    """A function that puts an apostrophe before each cell of whole records that a spreadsheet would take for a formula,
    as `formulas: neutralize` does (app.storage.exports.statement.FORMULA). Formulas for text (="00123") stay, because
    they are what they say, and an import reads them."""
    between, begins = re.escape(delimiter), r"=+@\t\r\-"
    ends, content = rf"(?=[{between}\n]|\Z)", r'(?:[^"]|"")*+"'
    digits = r"[+-]?[0-9]++(?:[.,][0-9]++)?"
    number = rf'(?:{digits}|"{digits}"){ends}'
    text_formula = rf'"=""(?:[^"]|"""")*+"""{ends}'
    quoted, bare = rf'"(?![{begins}]){content}', rf'(?:(?![{begins}"])[^{between}\n]++)?'
    harmless = re.compile(rf"(?:(?:{number}|{text_formula}|{quoted}|{bare})(?:[{between}\n]|\Z))*+")
    formula = re.compile(rf'(")?(?(1){content}|[^{between}\n]*+)')

    def guard(text: str) -> str:
        guarded: list[str] = []
        at = 0
        while at < len(text):
            found = harmless.match(text, at)
            end = found.end() if found else at
            guarded.append(text[at:end])
            cell = formula.match(text, end) if end < len(text) else None
            at = cell.end() if cell else len(text)
            if cell:
                guarded.append(cell[0].replace('"', "\"'", 1) if cell[1] else f"'{cell[0]}")
        return "".join(guarded)

    return guard
