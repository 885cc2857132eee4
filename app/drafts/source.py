"""The file of a draft at another server, as somebody has typed it into a form: one file, or a pattern."""

from collections.abc import Mapping
from typing import Any, Final

from app.connections.declaration import build_remote, find_mistakes, invalid
from app.connections.inline_source import pull_from_source
from app.connections.pull import WEB, Pull, check_path_or_pattern
from app.errors import Complaint, Refused
from app.transports.failed import TransportFailed

PREFIX: Final = "source."
NO_PATH: Final = "`path` is required"


def read_source(members: Mapping[str, Any]) -> Pull:
    """`members` are those of a connection, with `path`, or with `url` for the web. Raises one Refused("invalid") that
    names every mistake by its member."""
    if members["transport"] in WEB:
        return read_address(members)
    rest = {member: value for member, value in members.items() if member != "path"}
    path = str(members.get("path") or "")
    complaints = [*find_mistakes(rest), *check_path(members["transport"], path)]
    if complaints:
        raise invalid(complaints)
    return Pull(build_remote(rest), path)


def read_address(members: Mapping[str, Any]) -> Pull:
    try:
        return pull_from_source({"url": "", **members})
    except Refused as refused:
        raise invalid(
            [
                Complaint(each.path.removeprefix(PREFIX), each.reason.replace(f"`{PREFIX}", "`", 1))
                for each in refused.complaints
            ]
        ) from None


def check_path(scheme: str, path: str) -> list[Complaint]:
    """What is wrong with a path or a pattern."""
    if not path:
        return [Complaint("path", NO_PATH)]
    try:
        check_path_or_pattern(scheme, path)
    except TransportFailed as wrong:
        return [Complaint("path", wrong.detail)]
    return []


def as_connection(pull: Pull, members: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The body of `POST /connections` that stores the server of a source."""
    server = {member: value for member, value in members.items() if member not in ("path", "url")}
    if pull.remote.scheme in WEB:
        server |= {"transport": pull.remote.scheme, "host": pull.remote.host, "port": pull.remote.port}
    return {"name": name, **server}
