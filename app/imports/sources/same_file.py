"""Finds out whether a file has been imported before, and says so or refuses it, as the caller wants."""

from collections.abc import Sequence
from typing import Final

from app.errors import Complaint, Refused
from app.imports.plan import Options
from app.runs.model import AccountId
from app.runs.summary import RunWarning
from app.storage.access import accounts
from app.storage.database import Session
from app.storage.idempotency import same_file

CODE: Final = "same_file"


async def look_for_same_file(
    session: Session, account_id: AccountId, type_: str, options: Options, sha256: str, *, run_id: str
) -> Sequence[RunWarning]:
    """What to warn of. Of several imports of one file at a time, each but the first finds one: the account is locked.
    Raises Refused("same_file") if the caller wants that."""
    if options.if_same_file == "allow":
        return ()
    await accounts.lock(session, account_id)
    earlier = await same_file.find_earlier(session, account_id, type_, sha256, but=run_id)
    if earlier is None:
        return ()
    name = f' "{earlier["name"]}"' if earlier["name"] else ""
    at = f"{earlier['created_at']:%Y-%m-%d %H:%M} UTC"
    message = f"The same file was imported before, by import {earlier['id']}{name} at {at}"
    if options.if_same_file == "refuse":
        raise Refused(CODE, message, [Complaint("file", message)])
    return [RunWarning(CODE, earlier["id"], message)]
