"""Makes the shapes of accounts."""

from collections.abc import Mapping
from typing import Any

from app.accounts.account import AccountUse, AdministeredAccount
from app.quotas.quota import limits_of
from app.runtime import Runtime
from app.surfaces.native.access.keys_and_people import leave_out_none
from app.surfaces.native.translate import PRECISIONS
from app.surfaces.native.wire.access.accounts import Deletion, FoundAccount, ListedAccount, OwnAccount, Quotas, UseShape


def own_account(name: str, runtime: Runtime, own: Mapping[str, int], use: AccountUse) -> OwnAccount:
    return OwnAccount(name=name, limits=limits(runtime, own), use=use_shape(use))


def listed_account(account: AdministeredAccount) -> ListedAccount:
    return ListedAccount(**account_members(account, {}))


def found_account(
    account: AdministeredAccount, runtime: Runtime, use: AccountUse, remaining: Mapping[str, int]
) -> FoundAccount:
    shown = {"limits": limits(runtime, account.quotas), "use": use_shape(use)}
    return FoundAccount(**account_members(account, remaining), **shown)


def account_members(account: AdministeredAccount, remaining: Mapping[str, int]) -> dict[str, Any]:
    members: dict[str, Any] = {
        "name": account.name,
        "id": account.id,
        "status": status_of(account),
        "created_at": account.created_at,
        "quotas": Quotas(**known_quotas(account.quotas)),
    }
    if account.deleting_at is not None:
        shown = {"remaining": dict(remaining)} if remaining else {}
        members["deletion"] = Deletion(since=account.deleting_at, erased=dict(account.erased), **shown)
    return members


def status_of(account: AdministeredAccount) -> str:
    if account.deleting_at is not None:
        return "deleting"
    return "active" if account.suspended_at is None else "suspended"


def known_quotas(own: Mapping[str, int]) -> dict[str, int]:
    """Without those of a newer release."""
    return {name: value for name, value in own.items() if name in Quotas.model_fields}


def limits(runtime: Runtime, own: Mapping[str, int]) -> Quotas:
    return Quotas(**leave_out_none(limits_of(runtime, own)))


def use_shape(use: AccountUse) -> UseShape:
    records = use.figures.records
    return UseShape(
        open_imports=use.open_imports,
        keys=use.keys,
        records=records.count,
        records_precision=PRECISIONS[records.precision],
        stored_bytes=use.figures.stored_bytes,
    )
