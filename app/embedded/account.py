"""As whom the servers run: PostgreSQL refuses to be root, so root hands its servers to an account without rights."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import CannotStart

UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this system. It must have a name: initdb fails for a bare number."""

    name: str
    uid: int
    gid: int


def servers_account() -> Account | None:
    """The account to change to, or None when the servers run as whoever started us."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise CannotStart(
            f"as root the servers run as the account '{UNPRIVILEGED}', which this system lacks; "
            "run as a normal user or set SLUICE_DATABASE_URL and SLUICE_REDIS_URL"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def can_reach(folder: Path, account: Account) -> bool:
    """Whether the account may walk down to this folder. Permissions on the way are never changed to make it so."""
    return all(_may_enter(step, account) for step in (folder, *folder.parents))


def _may_enter(folder: Path, account: Account) -> bool:
    facts = folder.stat()
    if facts.st_uid == account.uid:
        return bool(facts.st_mode & 0o100)
    if facts.st_gid == account.gid:
        return bool(facts.st_mode & 0o010)
    return bool(facts.st_mode & 0o001)
