"""The table of quotas, and what holds for an account: its own quota, else a setting of the service, else nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from app.errors import Refused
from app.runtime import Runtime
from app.storage.access import administered
from app.storage.database import ReadSession

# What an account has of its own, by the names of QUOTAS, as `accounts.quotas` has it.
OwnQuotas = Mapping[str, int]
MOST: Final = 2**53 - 1  # the largest whole number that every reader of JSON keeps


@dataclass(frozen=True, slots=True)
class Quota:
    """What one account may have of something. Without a `setting` there is no limit for an account that has no quota
    of its own, unless there is a `default`."""

    about: str
    unit: str
    words: str  # what people read
    setting: str | None = None
    default: int | None = None
    most: int = MOST
    reached: str = ""  # why a request is refused; {limit}


QUOTAS: Final[Mapping[str, Quota]] = {
    "open_imports": Quota(
        "Imports that may wait, run or be halted at a time",
        "imports",
        "Imports at a time",
        setting="queue_limit",
        most=10_000,
    ),
    "file_bytes": Quota("The largest file, in bytes as sent", "bytes", "Largest file", setting="max_file_bytes"),
    "retention_days": Quota(
        "Days that runs, their files and reports are kept after their end",
        "days",
        "Runs are kept",
        setting="retention_days",
        most=36_500,
    ),
    "records": Quota(
        "Records of all types",
        "records",
        "Records",
        reached="The account's quota of records is reached: {limit}. Delete some, or ask for a higher quota",
    ),
    "stored_bytes": Quota(
        "Bytes of stored files: of runs, drafts and pictures",
        "bytes",
        "Stored files",
        reached="The account's quota of stored files is reached: {limit} bytes. Delete runs that are not needed, or "
        "ask for a higher quota",
    ),
    "keys": Quota(
        "API keys that are not revoked",
        "keys",
        "API keys",
        default=500,
        most=100_000,
        reached="The account's quota of API keys is reached: {limit}. Revoke some that nobody uses",
    ),
}


def limits_of(runtime: Runtime, own: OwnQuotas) -> dict[str, int | None]:
    """What holds for an account, by the names of QUOTAS; None: no limit. `runtime` is that of the service."""
    return {name: limit_of(runtime, name, own) for name in QUOTAS}


def limit_of(runtime: Runtime, name: str, own: OwnQuotas) -> int | None:
    quota = QUOTAS[name]
    limit: int | None = getattr(runtime.settings, quota.setting) if quota.setting else quota.default
    return own.get(name, limit)


def ensure_below(name: str, own: OwnQuotas, used: int) -> None:
    """That there may be one more of what an account has `used`: of a quota that no setting stands for. Raises
    Refused("quota_reached")."""
    quota = QUOTAS[name]
    limit = own.get(name, quota.default)
    if limit is not None and used >= limit:
        raise Refused("quota_reached", quota.reached.format(limit=f"{limit:,}"))


def runtime_for(runtime: Runtime, own: OwnQuotas) -> Runtime:
    """The runtime as this account finds it: with its quotas in place of the settings. What a newer release knows
    besides is left alone."""
    changed: dict[str, Any] = {
        quota.setting: own[name] for name, quota in QUOTAS.items() if quota.setting is not None and name in own
    }
    if not changed:
        return runtime
    settings = runtime.settings.model_copy(update=changed)
    policy = replace(runtime.transfer_policy, limit=settings.max_file_bytes)
    return replace(runtime, settings=settings, transfer_policy=policy)


async def load_runtime(session: ReadSession, runtime: Runtime, account_id: int) -> Runtime:
    """The same for who has nothing but the account's id."""
    return runtime_for(runtime, await administered.get_quotas(session, account_id))
