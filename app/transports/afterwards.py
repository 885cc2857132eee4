"""What becomes of a file on its server once it has been dealt with: it stays, is moved to a folder, or is deleted."""

import posixpath
from dataclasses import dataclass
from typing import Final, Literal

from app.transports.failed import DELETING, TransportFailed, as_write_failure, failure
from app.transports.transport import FileInfo, Transport, check_path, find_file

NOT_AFTERWARDS: Final = "must be keep, delete, or move: with a folder, such as move:/done"
MOVE: Final = "move:"
LONGEST_FOLDER: Final = 700  # characters; the name of the file is added
LONGEST_NAME: Final = 255  # bytes, on most file systems


@dataclass(frozen=True, slots=True)
class Afterwards:
    """`folder` is where the file is moved to, without a slash at its end."""

    action: Literal["keep", "move", "delete"] = "keep"
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Disposal:
    """What has become of a file. It is gone if it was deleted, moved or replaced by somebody else. `path` is where it
    is if it was moved."""

    outcome: Literal["kept", "moved", "deleted", "gone"]
    path: str | None = None


def parse_afterwards(text: str) -> Afterwards:
    """`keep`, `delete`, or `move:` with a folder. Raises ValueError with a requirement that goes on from the name of
    the setting."""
    if text == "keep":
        return Afterwards("keep")
    if text == "delete":
        return Afterwards("delete")
    folder = text.removeprefix(MOVE).strip()
    if not text.startswith(MOVE) or not folder:
        raise ValueError(NOT_AFTERWARDS)
    try:
        check_path(folder, LONGEST_FOLDER)
    except TransportFailed:
        raise ValueError(
            f"must name a folder of at most {LONGEST_FOLDER} characters, without unprintable characters"
        ) from None
    if ".." in folder.split("/"):
        raise ValueError("must not contain the folder `..`")
    return Afterwards("move", folder.rstrip("/"))


def leads_to(afterwards: Afterwards, folder: str) -> bool:
    """Whether files are moved to this folder. What is read from it would be read again, and moved again, for ever."""
    return afterwards.action == "move" and is_same_folder(afterwards.folder, folder)


def is_same_folder(one: str, other: str) -> bool:
    """Whether both name one folder, however they are written. Most logins begin in their root, so a slash at the start
    does not count."""
    return plain_folder(one) == plain_folder(other)


def plain_folder(folder: str) -> str:
    return posixpath.normpath("/" + folder.strip("/"))


async def dispose_of(transport: Transport, file: FileInfo, afterwards: Afterwards, mark: str) -> Disposal:
    """Moves or deletes the file, provided that it is still the one that `file` describes. It may be repeated after a
    crash. In the folder it keeps its name or, where that is taken, gets `mark` in it, which must be its own.

    Raises TransportFailed.
    """
    try:
        if afterwards.action == "move":
            return await move_to_folder(transport, file, afterwards.folder, mark)
        if afterwards.action == "delete":
            await delete_unchanged(transport, file)
            return Disposal("deleted")
    except TransportFailed as failed:
        if failed.reason not in {"missing", "changed"}:
            raise
        return Disposal("gone")
    return Disposal("kept")


async def move_to_folder(transport: Transport, file: FileInfo, folder: str, mark: str) -> Disposal:
    name = file.path.rpartition("/")[2]
    plain, marked = f"{folder}/{name}", f"{folder}/{mark_name(name, mark)}"
    try:
        if await transport.move(file.path, plain, file) or await find_file(transport, marked) is None:
            return Disposal("moved", plain)
    except TransportFailed as failed:
        if failed.reason != "taken":
            raise
        await transport.move(file.path, marked, file)
    return Disposal("moved", marked)


def mark_name(name: str, mark: str) -> str:
    """The name with `-mark` before its first dot, at most LONGEST_NAME bytes: `stock.csv.gz` → `stock-mark.csv.gz`."""
    stem, dot, ending = name[1:].partition(".")
    ending = f"-{mark}{dot}{ending}"
    return f"{name[:1]}{stem}".encode()[: LONGEST_NAME - len(ending.encode())].decode(errors="ignore") + ending


async def delete_unchanged(transport: Transport, file: FileInfo) -> None:
    try:
        if (await transport.stat(file.path)).differs(file):
            raise failure("changed")
    except TransportFailed as failed:
        raise as_write_failure(failed, DELETING) from None
    await transport.delete(file.path)
