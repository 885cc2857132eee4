"""Where a file is delivered: a path with placeholders, which are replaced when the delivery is asked for."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from app.errors import join_choices, shorten_name
from app.transports.failed import TransportFailed
from app.transports.transport import check_path

LONGEST_TARGET: Final = 700  # characters; a transport adds to it until the file is complete
# Protocols over which files are delivered. A web server takes none.
DELIVERS: Final = ("s3", "sftp", "ftps", "ftp")
# What may stand in a path -> what stands there instead.
PLACEHOLDERS: Final[Mapping[str, str]] = {
    "date": "the day on which the export was accepted, such as 2026-11-27, in UTC",
    "time": "the time of that day, such as 093005, in UTC",
    "type": "the record type",
    "name": "the name of the export; characters that a file name cannot have become hyphens",
    "id": "the id of the export",
}
BRACES: Final = re.compile(r"\{([^{}]*)\}")
# Separators of folders, and what Windows does not allow in names.
UNSAFE: Final = re.compile(r"""[/\\:*?"<>|{}]""")
WILD: Final = frozenset("*?")


@dataclass(frozen=True, slots=True)
class PathValues:
    """What the placeholders of a path stand for. `accepted` is in any time zone."""

    accepted: datetime
    type: str
    name: str | None
    id: str

    def find(self, placeholder: str) -> str:
        """The value of a placeholder; empty if it has none."""
        moment = self.accepted.astimezone(UTC)
        values = {
            "date": f"{moment:%Y-%m-%d}",
            "time": f"{moment:%H%M%S}",
            "type": self.type,
            "name": clean_name(self.name or ""),
            "id": self.id,
        }
        return values.get(placeholder, "")


def clean_name(name: str) -> str:
    """The name as a part of a file's name: it begins no hidden file and leads to no other folder."""
    visible = "".join(each if each.isprintable() else "-" for each in name)
    return UNSAFE.sub("-", visible).strip(" .")


def expand_path(path: str, values: PathValues) -> str:
    """The path with its placeholders replaced. See `find_target_mistake`."""
    return BRACES.sub(lambda braces: values.find(braces[1]), path)


def find_folder(path: str, values: PathValues) -> str:
    """The folder that a file is delivered to; "" for the one in which the connection begins."""
    folder, slash, _ = expand_path(path, values).rpartition("/")
    return folder or slash


def find_target_mistake(path: str, values: PathValues) -> str | None:
    """Why no file can be delivered to `path`, as a sentence; None if one can."""
    for placeholder in BRACES.findall(path):
        if not values.find(placeholder):
            return explain_placeholder(placeholder)
    expanded = expand_path(path, values)
    if not expanded or expanded.endswith(("/", "\\")):
        return "`path` must end with the name of a file"
    if ".." in re.split(r"[/\\]", expanded):
        return "`path` must not contain the folder `..`"
    if WILD.intersection(expanded):
        return "`path` must not contain * and ?, because it names one file"
    try:
        check_path(expanded, LONGEST_TARGET)
    except TransportFailed:
        return f"`path` is longer than {LONGEST_TARGET:,} characters or contains unprintable characters"
    return None


def explain_placeholder(placeholder: str) -> str:
    shown = f"`{{{shorten_name(placeholder)}}}`"
    if placeholder == "name":
        return f"`path` contains {shown}, so the export must have a `name`"
    return f"`path` contains {shown}, which is none of {join_placeholders(PLACEHOLDERS)}"


def join_placeholders(names: Collection[str]) -> str:
    return join_choices([f"`{{{name}}}`" for name in names])


def find_connection_mistake(scheme: str) -> str | None:
    """Why no file can be delivered over a connection of this protocol, as a sentence; None if one can."""
    if scheme in DELIVERS:
        return None
    return f"`connectionId` is a connection over {scheme}, and files are delivered over {join_choices(DELIVERS)}"
