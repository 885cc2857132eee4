"""Who needs which stored file: the view `blob_owners` lists every table that names one."""

from collections.abc import Sequence

from sqlalchemy import text

from app.storage.database import ReadSession


async def find_owned(session: ReadSession, blobs: Sequence[str]) -> set[str]:
    """Those of the given files that have an owner."""
    found = await session.execute(
        text("SELECT DISTINCT blob FROM blob_owners WHERE blob = ANY(:blobs)"), {"blobs": list(blobs)}
    )
    return set(found.scalars())
