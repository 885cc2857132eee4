"""Sends the file of an export: as it was written, or made for spreadsheets."""

from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from fastapi import Request
from fastapi.responses import Response

from app.errors import SourceLost
from app.exports.downloads import open_export_file, open_for_spreadsheet
from app.exports.layout import load_file_options
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.blobs import BlobDamaged, BlobsUnavailable
from app.web.responses.downloads import CountedStream, ensure_few_downloads
from app.web.responses.ranges import StoredDownload, respond_with_file

MEDIA_TYPES: Final = {"csv": "text/csv; charset={encoding}", "jsonl": "application/jsonl; charset={encoding}"}
GZIP: Final = "application/gzip"


async def respond_with_export(request: Request, runtime: Runtime, run: Run, *, spreadsheet: bool) -> Response:
    """Raises Refused: too_many_reads, export_not_ended, not_found (it failed), gone, and invalid if a file that is no
    CSV is wanted for a `spreadsheet`."""
    ensure_few_downloads(runtime, run.account_id)
    if not spreadsheet:
        return respond_with_file(
            request, runtime, run.account_id, build_download(run, await open_export_file(runtime, run))
        )
    pieces = break_when_lost(await open_for_spreadsheet(runtime, run))
    headers = {"Content-Disposition": f'attachment; filename="{(run.file_name or run.id).removesuffix(".gz")}"'}
    media_type = MEDIA_TYPES["csv"].format(encoding=load_file_options(run).encoding)
    return CountedStream(runtime, run.account_id, pieces, media_type=media_type, headers=headers)


def build_download(run: Run, file: BinaryIO) -> StoredDownload:
    options = load_file_options(run)
    media_type = GZIP if options.gzip else MEDIA_TYPES[options.format].format(encoding=options.encoding)
    return StoredDownload(file, run.file_name or run.id, media_type, run.file_bytes, run.file_sha256)


async def break_when_lost(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Raises SourceLost if the stored file cannot be read to its end, or is damaged."""
    try:
        async for piece in pieces:
            yield piece
    except (BlobDamaged, BlobsUnavailable) as lost:
        raise SourceLost from lost
