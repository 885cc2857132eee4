"""The file of a draft: kept as it was sent, so that it can be read in another encoding, and read to see what it is. Of
a workbook one sheet is kept, as CSV."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, Final

from app.connections.check import SAMPLE_BYTES, connect_briefly
from app.connections.pull import Pull, is_pattern
from app.drafts.draft import Draft, DraftFile
from app.drafts.facts import FileFacts, FileReading, find_facts, find_facts_of_beginning
from app.errors import Complaint, Refused
from app.formats.decode import Decoder
from app.formats.detection.binary import SIGNATURE_BYTES, is_workbook
from app.imports.examine import Upload
from app.imports.sources.filenames import sanitize_filename
from app.imports.sources.head import SUPPOSED_ENCODING, FileHead, HeadReader, feed_head
from app.imports.sources.incoming import PIECE_BYTES, read_sheet, too_large
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.blobs import BlobDamaged, BlobMissing, BlobWriter
from app.transports.failed import TransportFailed
from app.transports.transport import Transport
from app.workbooks.workbook import ReadSheet

LOST: Final = "The file of this draft is not stored any more. Send it again"


class RawFile:
    """Takes the bytes of a file as they are sent, and stores them as they are, of a workbook one sheet as CSV. Unless
    its writer is committed, `discard()` leaves nothing behind."""

    def __init__(self, runtime: Runtime) -> None:
        self.declared: str | None = None
        self.sheet = ""  # of a workbook: its name or number, "" for the first one that is not hidden
        self.size = 0
        self._runtime = runtime
        self._beginning = b""
        self._read_sheet: ReadSheet | None = None
        self._limit = runtime.settings.max_file_bytes
        self._writer = runtime.blobs.create()
        self._digest = hashlib.sha256()
        self._pending = bytearray()

    def describe(self, charset: str, /) -> None:
        """What headers say of the file does not matter: it is read later, as somebody chooses."""

    @property
    def is_workbook(self) -> bool:
        """As far as the bytes tell that have come."""
        return is_workbook(self._beginning)

    async def add(self, data: bytes, /) -> None:
        """Raises Refused("too_large")."""
        self.size += len(data)
        if self.size > self._limit:
            raise too_large(self._limit)
        self._beginning += data[: SIGNATURE_BYTES - len(self._beginning)]
        self._pending += data
        if len(self._pending) >= PIECE_BYTES:
            await self._flush()

    async def end(self) -> None:
        """Raises Refused("unreadable_file") for a workbook."""
        await self._flush()
        if not self.is_workbook:
            return
        workbook, self._writer = self._writer, self._runtime.blobs.create()
        try:
            self._read_sheet = await read_sheet(self._runtime, workbook, self.sheet, self._writer)
        finally:
            workbook.abort()

    async def _flush(self) -> None:
        data, self._pending = bytes(self._pending), bytearray()
        await asyncio.to_thread(self._store, data)

    def as_upload(self, file_name: str | None, /) -> Upload:
        """Not decoded yet."""
        return Upload(self._writer, file_name, self.size, self._digest.hexdigest(), "", sheet=self._read_sheet)

    def discard(self) -> None:
        self._writer.abort()

    def _store(self, data: bytes) -> None:
        self._digest.update(data)
        self._writer.write(data)


async def keep_file(upload: Upload) -> DraftFile:
    """Commits what a RawFile has taken in."""
    blob = await asyncio.to_thread(upload.writer.commit)
    return DraftFile(blob, upload.writer.digests, upload.file_name, upload.size, upload.sha256, upload.sheet)


async def read_file(runtime: Runtime, account_id: AccountId, upload: Upload, reading: FileReading) -> FileFacts:
    """What a file is that a RawFile has taken in, in the account's turn. Raises Refused: empty_file, unreadable_file,
    too_large, invalid."""
    opening, sheet = upload.writer.open_for_reading, upload.sheet
    async with runtime.heavy_reads.turn(account_id):
        return await asyncio.to_thread(_find_facts, runtime, opening, upload.file_name, reading, sheet)


async def read_again(
    runtime: Runtime, draft: Draft, choices: Mapping[str, Any], sheet: ReadSheet | None = None
) -> FileFacts | None:
    """What the draft's file, which may be a `sheet` of a workbook, is if it is read as these choices say; None if
    nothing of it is here. Raises Refused as `read_file` does."""
    if draft.blob is None:
        return None
    reading, whole = FileReading.from_choices(choices), draft.is_upload
    async with runtime.heavy_reads.turn(draft.account_id):
        if whole:
            opening = partial(open_file, runtime, draft)
            return await asyncio.to_thread(_find_facts, runtime, opening, draft.file_name, reading, sheet)
        head = await asyncio.to_thread(read_beginning, runtime, draft, reading.encoding, sheet)
        return await asyncio.to_thread(find_facts_of_beginning, head, reading, runtime.limits)


def _find_facts(
    runtime: Runtime,
    opening: Callable[[], BinaryIO],
    file_name: str | None,
    reading: FileReading,
    sheet: ReadSheet | None,
) -> FileFacts:
    told = None if sheet else reading.encoding
    with opening() as raw:
        head = take_head(runtime, raw, told, file_name, whole=True)
        raw.seek(0)
        writer, encoding = decode_file(runtime, raw, told)
    try:
        with writer.open_for_reading() as decoded:
            told_head = FileHead(head.data, head.whole, encoding, file_name, sheet)
            return find_facts(decoded, told_head, reading, runtime.limits, count=True)
    finally:
        writer.abort()


def open_file(runtime: Runtime, draft: Draft) -> BinaryIO:
    """What is stored of the draft's file. Blocking. Raises Refused("gone")."""
    try:
        return runtime.blobs.open(draft.blob or "", draft.blob_digests)
    except (BlobMissing, BlobDamaged):
        raise Refused("gone", LOST) from None


def read_head(runtime: Runtime, draft: Draft, encoding: str | None) -> FileHead:
    """The beginning of the draft's file. Blocking. Raises Refused: gone, unreadable_file, too_large, invalid."""
    return read_beginning(runtime, draft, encoding, draft.sheet)


def read_beginning(runtime: Runtime, draft: Draft, encoding: str | None, sheet: ReadSheet | None) -> FileHead:
    """Of a `sheet` of a workbook the encoding is known."""
    with open_file(runtime, draft) as raw:
        head = take_head(runtime, raw, None if sheet else encoding, draft.file_name, whole=draft.is_upload)
    return replace(head, sheet=sheet)


def take_head(runtime: Runtime, raw: BinaryIO, encoding: str | None, file_name: str | None, *, whole: bool) -> FileHead:
    """`whole`: the file ends where `raw` does."""
    reader = HeadReader(encoding, limit=runtime.settings.max_file_bytes, ratio=runtime.settings.unpack_ratio)
    feed_head(raw, reader)
    return reader.finish(file_name, ended=whole)


def decode_file(runtime: Runtime, raw: BinaryIO, encoding: str | None) -> tuple[BlobWriter, str]:
    """The file as an import stores it: unpacked and in UTF-8, and the encoding that it had. Blocking. Raises Refused:
    unreadable_file, too_large, invalid."""
    decoder = Decoder(encoding, runtime.settings.max_file_bytes, runtime.settings.unpack_ratio)
    decoder.suppose(SUPPOSED_ENCODING)
    writer = runtime.blobs.create()
    try:
        while piece := raw.read(PIECE_BYTES):
            writer.write(decoder.feed(piece))
        writer.write(decoder.finish())
    except BaseException:
        writer.abort()
        raise
    return writer, decoder.encoding


def build_upload(runtime: Runtime, draft: Draft) -> Upload:
    """The draft's file as an import takes it. Blocking. Raises Refused as `decode_file` does, and gone."""
    with open_file(runtime, draft) as raw:
        told = None if draft.sheet else draft.choices.get("encoding")
        writer, encoding = decode_file(runtime, raw, told)
    size, sha256 = draft.file_bytes or 0, draft.file_sha256 or ""
    return Upload(writer, draft.file_name, size, sha256, encoding, sheet=draft.sheet)


async def fetch_beginning(runtime: Runtime, account_id: AccountId, pull: Pull, sheet: str) -> DraftFile:
    """Reads the beginning of a file that is elsewhere, of a pattern that of the first one, and stores it; of a workbook
    all of a sheet, because its beginning says nothing. It takes at most as long as the test of a connection. Raises
    Refused: invalid (a server that cannot be read), too_large, unreadable_file."""
    file = RawFile(runtime)
    file.sheet = sheet
    try:
        async with connect_briefly(pull.remote, runtime.policy_for(account_id)) as transport:
            path = await find_one(transport, pull)
            async with aclosing(transport.read(path)) as pieces:
                await take_beginning(file, pieces)
        await file.end()
        return await keep_file(file.as_upload(sanitize_filename(path.partition("?")[0])))
    except TransportFailed as failed:
        raise refuse_source(failed.detail) from None
    finally:
        file.discard()


async def find_one(transport: Transport, pull: Pull) -> str:
    """The path of the first file that is meant. Raises Refused("invalid"), TransportFailed."""
    if not is_pattern(pull.remote.scheme, pull.path):
        return pull.path
    found = await transport.list(pull.path)
    if not found:
        raise refuse_source("No file matches `path`")
    return found[0].path


async def take_beginning(file: RawFile, pieces: AsyncIterator[bytes]) -> None:
    async for piece in pieces:
        first = max(0, SIGNATURE_BYTES - file.size)  # by which a workbook is known
        await file.add(piece[:first])
        rest = piece[first:]
        await file.add(rest if file.is_workbook else rest[: SAMPLE_BYTES - file.size])
        if file.size >= SAMPLE_BYTES and not file.is_workbook:
            break


def refuse_source(reason: str) -> Refused:
    return Refused("invalid", reason, [Complaint("path", reason)])
