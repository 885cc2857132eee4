"""Tells the triggers of the journal who writes, for the rest of a transaction."""

from sqlalchemy import text

from app.storage.database import Session

# What a run writes carries its id, and what it removes does not.
TELL = """
SELECT set_config('sluice.journal', :journal, true), set_config('sluice.run_id', :run_id, true),
    set_config('sluice.sent_by', :sent_by, true)"""


async def tell_journal(
    session: Session, *, run_id: str | None = None, sent_by: str | None = None, kept: bool = True
) -> None:
    """The run that removes records; the key or person that sent a single write. Unless it is `kept` nothing that
    follows is noted, and so it cannot be undone."""
    given = {"journal": "" if kept else "off", "run_id": run_id or "", "sent_by": sent_by or ""}
    await session.execute(text(TELL), given)
