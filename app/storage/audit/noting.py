"""Notes in the audit log what no trigger sees."""

from sqlalchemy import text

from app.storage.database import Session

NOTE = text("SELECT note_deed(:account_id, :action, :what_id, :what_name)")


async def note_deed(
    session: Session, account_id: int | None, action: str, what_id: str | None, what_name: str | None
) -> None:
    """Writes a row of the audit log, in the transaction of the deed and under the name that it was opened with
    (`app.observe.acting`). `action` is one of `app.audit.actions`. Without an account it is for the operator only."""
    given = {"account_id": account_id, "action": action, "what_id": what_id, "what_name": what_name}
    await session.execute(NOTE, given)
