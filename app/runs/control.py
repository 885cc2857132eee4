"""What a caller may do to a run."""

from app.errors import Refused
from app.runs.model import Run
from app.storage import runs
from app.storage.database import Session


async def delete(session: Session, run: Run) -> str | None:
    """Deletes an ended run and returns the blob to delete after the commit. The records it wrote stay.

    Raises Refused("import_not_ended").
    """
    gone = await runs.delete_ended(session, run.account_id, run.id)
    if gone is None:
        raise Refused("import_not_ended", "Only an import that has ended can be deleted; this one is still at work")
    blob: str | None = gone["blob"]
    return blob
