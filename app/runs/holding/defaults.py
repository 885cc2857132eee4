"""The brakes that an account sets for all of its runs: each run takes them over when it is accepted."""

from typing import Any

import msgspec

from app.runs.holding.brakes import Brakes, collect_brakes, fill_brakes
from app.runs.model import AccountId
from app.storage.access import accounts
from app.storage.database import ReadSession, Session


async def load_defaults(session: ReadSession, account_id: AccountId) -> Brakes:
    return collect_brakes(await accounts.get_brakes(session, account_id)) or Brakes()


async def store_defaults(session: Session, account_id: AccountId, brakes: Brakes) -> None:
    """For runs that are accepted from now on."""
    given: dict[str, Any] = msgspec.to_builtins(brakes)
    kept = {name: limit for name, limit in given.items() if limit is not None}
    await accounts.set_brakes(session, account_id, msgspec.json.encode(kept).decode())


async def settle_brakes(
    session: ReadSession, account_id: AccountId, own: Brakes | None, *, removes: bool
) -> Brakes | None:
    """The brakes of a run that is accepted now."""
    return fill_brakes(own, await accounts.get_brakes(session, account_id), removes=removes)
