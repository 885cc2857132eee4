"""The brakes that an account sets for all of its runs: each run takes them over when it is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from app.runs.holding.brakes import BRAKES, Brakes, collect_brakes, fill_brakes
from app.runs.model import AccountId
from app.storage.access import accounts
from app.storage.database import ReadSession, Session

FallbackSource = Literal["mapping", "account", "replacement"]
NO_BRAKES = Brakes()


@dataclass(frozen=True, slots=True)
class Fallback:
    """A limit that counts because nobody has set another one for the run. Shares are from 0 to 1."""

    limit: float
    source: FallbackSource


def find_fallbacks(
    account: Brakes = NO_BRAKES, mapping: Brakes = NO_BRAKES, *, replaces: bool = True
) -> Mapping[str, Fallback]:
    """The limits of a run that sets none, by the names of fields of Brakes. Those about removed records count for runs
    that remove some, and one of them only for what `replaces` a type."""
    filled = fill_brakes(mapping, list_set(account), replaces=replaces, removes=True) or NO_BRAKES
    return {
        name: Fallback(limit, find_source(name, account, mapping))
        for name in BRAKES
        if (limit := getattr(filled, name)) is not None
    }


def find_source(name: str, account: Brakes, mapping: Brakes) -> FallbackSource:
    if getattr(mapping, name) is not None:
        return "mapping"
    return "replacement" if getattr(account, name) is None else "account"


async def load_defaults(session: ReadSession, account_id: AccountId) -> Brakes:
    return collect_brakes(await accounts.get_brakes(session, account_id)) or Brakes()


async def store_defaults(session: Session, account_id: AccountId, brakes: Brakes) -> None:
    """For runs that are accepted from now on."""
    await accounts.set_brakes(session, account_id, msgspec.json.encode(list_set(brakes)).decode())


def list_set(brakes: Brakes) -> dict[str, Any]:
    given: dict[str, Any] = msgspec.to_builtins(brakes)
    return {name: limit for name, limit in given.items() if limit is not None}


async def settle_brakes(
    session: ReadSession, account_id: AccountId, own: Brakes | None, *, replaces: bool, removes: bool
) -> Brakes | None:
    """The brakes of a run that is accepted now."""
    return fill_brakes(own, await accounts.get_brakes(session, account_id), replaces=replaces, removes=removes)
