"""Who needs which stored file: the view `blob_owners` lists every table that names one."""

from sqlalchemy import text

from app.storage.database import ReadSession


async def is_owned(session: ReadSession, blob: str) -> bool:
    """Whether anything needs the file."""
    found = await session.execute(text("SELECT EXISTS (SELECT FROM blob_owners WHERE blob = :blob)"), {"blob": blob})
    return bool(found.scalar_one())
