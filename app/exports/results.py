"""Opens the file of an export for a download."""

import asyncio
from typing import BinaryIO

from app.errors import Refused
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.blobs import BlobDamaged, BlobMissing

NOT_ENDED = "The file of this export is not complete yet. Wait until the export has ended"
NO_FILE = "This export has no file, because it failed. Its failure says why"


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
