"""Which account runs the API and the workers of `sluice up`: for root the unprivileged one that runs the servers."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.cli.options import CODE_FOLDER
from app.embedded import DataFolder, StartFailed, SystemUser, can_reach, find_server_user
from app.observe.logs import log
from app.observe.process_events import ProgramsKeepRoot
from app.settings import Settings

FIRST_FREE_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
USUAL_FIRST_FREE_PORT = 1024
# What the programs write below the data folder.
WRITTEN = ("blobs", "cache")


def choose_account(settings: Settings, folder: DataFolder, port: int) -> SystemUser | None:
    """The account, which owns from then on what the programs write; None for that of this process. Root's programs stay
    root's where another account could not work, and the log says why. `port` is the lowest that they listen on."""
    try:
        user = find_server_user()
    except StartFailed as missing:
        log(ProgramsKeepRoot(str(missing)))
        return None
    if user is None:
        return None
    obstacle = next(find_obstacles(settings, folder, port, user), None)
    if obstacle:
        log(ProgramsKeepRoot(obstacle))
        return None
    for name in WRITTEN:
        (folder.data / name).mkdir(mode=0o700, exist_ok=True)
        hand_over_tree(folder.data / name, user)
    return user


def find_obstacles(settings: Settings, folder: DataFolder, port: int, user: SystemUser) -> Iterator[str]:
    python = (Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent)
    # A folder may be a link to a larger disk.
    written = ((folder.data / name).resolve().parent for name in WRITTEN)
    for needed in dict.fromkeys((Path(CODE_FOLDER), *python, folder.data, *written)):
        if not can_reach(needed, user):
            yield f"{needed} cannot be entered by the user {user.name}"
    if port < first_free_port():
        yield f"port {port} is for root only"
    if settings.ca_file and not may(os.R_OK, settings.ca_file.absolute(), user):
        yield f"SLUICE_CA_FILE cannot be read by the user {user.name}"
    if settings.blobs:
        yield from find_obstacles_of_store(settings, user)


def find_obstacles_of_store(settings: Settings, user: SystemUser) -> Iterator[str]:
    parts = urlsplit(settings.blobs or "")
    if parts.scheme == "file" and not may_use_store(Path(unquote(parts.path)), user):
        yield f"the folder of SLUICE_BLOBS cannot be written by the user {user.name}"
    if parts.scheme == "s3" and settings.blobs_key is None and (Path.home() / ".aws").exists():
        yield "the credentials of the bucket are in the home of root"


def may_use_store(store: Path, user: SystemUser) -> bool:
    """Also what is in the folder already: it may be root's in a folder that everybody may write to."""
    return all(may(os.W_OK, each, user) for each in (store, *(path for path in store.glob("*") if path.is_dir())))


def may(access: int, path: Path, user: SystemUser) -> bool:
    """Whether the user has this access (R_OK or W_OK) to a file or folder, by its mode."""
    if not path.exists() or not can_reach(path.parent, user):
        return False
    facts = path.stat()
    shift = 6 if facts.st_uid == user.uid else 3 if facts.st_gid == user.gid else 0
    return bool(facts.st_mode & access << shift)


def first_free_port() -> int:
    try:
        return int(FIRST_FREE_PORT.read_text())
    except (OSError, ValueError):
        return USUAL_FIRST_FREE_PORT


def hand_over_tree(folder: Path, user: SystemUser) -> None:
    """Gives the folder and everything in it to the user. Some may be root's: release 0.1 always ran as root."""
    for path in (folder.resolve(), *folder.rglob("*")):
        if path.lstat().st_uid != user.uid:
            os.lchown(path, user.uid, user.gid)
