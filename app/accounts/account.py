"""What the operator sees of accounts and changes: their names, their quotas, and what they use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from app.errors import Complaint, Refused, describe, shorten_name
from app.quotas.quota import QUOTAS, OwnQuotas
from app.runs.kinds import Kind
from app.runs.model import AccountId
from app.storage import runs
from app.storage.access import accounts, administered
from app.storage.access.accounts import BEING_DELETED
from app.storage.counts.account import AccountFigures, count_everything
from app.storage.database import ReadSession, Session

LONGEST_NAME: Final = 200  # characters
# A quota that is to be as it is for every account again.
Wanted = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class AdministeredAccount:
    """`quotas` are those of its own, by the names of QUOTAS."""

    id: AccountId
    name: str
    created_at: datetime
    quotas: OwnQuotas
    deleting_at: datetime | None
    erased: Mapping[str, int]  # how much is gone of what, while it is being deleted
    suspended_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountUse:
    """What an account has at the moment of what quotas are about."""

    open_imports: int
    keys: int
    figures: AccountFigures

    def by_quota(self) -> dict[str, int]:
        """How much of what QUOTAS names, as far as it can be told."""
        stored = {"records": self.figures.records.count, "stored_bytes": self.figures.stored_bytes}
        return {"open_imports": self.open_imports, "keys": self.keys, **stored}


def account_from(row: Mapping[Any, Any]) -> AdministeredAccount:
    return AdministeredAccount(**row)


def check_name(name: str) -> str:
    """Raises Refused("invalid")."""
    if name.strip() and name.isprintable() and "/" not in name and len(name) <= LONGEST_NAME:
        return name
    reason = f"`name` must be one line of 1 to {LONGEST_NAME} characters, without `/`"
    raise Refused("invalid", reason, [Complaint("name", reason)])


def change_quotas(own: OwnQuotas, wanted: Wanted) -> dict[str, int]:
    """The quotas with these changes; None takes one away. Raises Refused("invalid")."""
    complaints = [
        Complaint(name, f"The quota `{shorten_name(name)}` must be from 1 to {QUOTAS[name].most:,}")
        for name, value in wanted.items()
        if value is not None and not 1 <= value <= QUOTAS[name].most
    ]
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
    return {name: value for name, value in {**own, **wanted}.items() if value is not None}


async def list_accounts(
    session: ReadSession, *, after: str | None, limit: int
) -> tuple[list[AdministeredAccount], str | None]:
    """A page in the order of names, and the name after which the next one begins; None: there is none."""
    found = [account_from(row) for row in await administered.page(session, after, limit + 1)]
    return found[:limit], found[limit - 1].name if len(found) > limit else None


async def load_account(session: ReadSession, name: str, *, hold: bool = False) -> AdministeredAccount:
    """By its name, or the number by which logs call it. With `hold` nobody else changes it meanwhile. Raises
    Refused("not_found")."""
    row = await administered.find(session, name, hold=hold)
    if row is None:
        raise Refused("not_found", f"There is no account `{shorten_name(name)}`")
    return account_from(row)


async def hold_account(session: Session, name: str) -> AdministeredAccount:
    """To change it. Raises Refused: not_found, being_deleted."""
    account = await load_account(session, name, hold=True)
    if account.deleting_at is not None:
        raise Refused("being_deleted", BEING_DELETED.format(name=account.name))
    return account


async def create_account(session: Session, name: str, wanted: Wanted) -> AdministeredAccount:
    """Raises Refused: invalid, name_taken."""
    quotas = msgspec.json.encode(change_quotas({}, wanted)).decode()
    if not await administered.add(session, check_name(name), quotas):
        raise Refused("name_taken", f"There is an account `{shorten_name(name)}` already")
    return await load_account(session, name)


async def change_account(
    session: Session, name: str, wanted: Wanted, *, suspended: bool | None = None
) -> AdministeredAccount:
    """Quotas for what is asked from now on. An account that is `suspended` lets nobody in, and its work waits. Raises
    Refused: not_found, being_deleted, invalid."""
    account = await hold_account(session, name)
    quotas = msgspec.json.encode(change_quotas(account.quotas, wanted)).decode()
    await administered.set_quotas(session, account.id, quotas)
    if suspended is not None:
        await administered.set_suspended(session, account.id, suspended=suspended)
    return await load_account(session, name)


async def read_use(session: ReadSession, account_id: AccountId) -> AccountUse:
    return AccountUse(
        open_imports=await runs.open_count(session, account_id, Kind.IMPORT),
        keys=len(await accounts.keys_in_use(session, account_id)),
        figures=await count_everything(session, account_id),
    )
