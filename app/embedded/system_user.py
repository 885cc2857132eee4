"""The system user that runs the servers: PostgreSQL refuses to run as root, so root uses an unprivileged user."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import StartFailed

UNPRIVILEGED_USER = "nobody"


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user of this system. It must have a name: initdb fails for a bare number."""

    name: str
    uid: int
    gid: int


def find_server_user() -> SystemUser | None:
    """The user that root runs the servers as; None if they run as the current user. Raises StartFailed."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError:
        raise StartFailed(
            f"Root runs the servers as the user `{UNPRIVILEGED_USER}`, which does not exist on this system. "
            "Run as another user, or set SLUICE_DATABASE_URL and SLUICE_REDIS_URL"
        ) from None
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def can_reach(folder: Path, user: SystemUser) -> bool:
    """Whether the user may enter this folder and all above it. Their permissions are never changed to make it so."""
    return all(_may_enter(step, user) for step in (folder, *folder.parents))


def _may_enter(folder: Path, user: SystemUser) -> bool:
    facts = folder.stat()
    if facts.st_uid == user.uid:
        return bool(facts.st_mode & 0o100)
    if facts.st_gid == user.gid:
        return bool(facts.st_mode & 0o010)
    return bool(facts.st_mode & 0o001)
