"""The `source` of a request: a remote and one file, in the members of a connection or in the words of Cordial's API."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from app.connections.declaration import build_remote, check_file_path, find_mistakes, invalid
from app.connections.pull import WEB, Pull
from app.errors import Complaint, Refused
from app.transports.failed import TransportFailed
from app.transports.url import ServerUrl, parse_server_url

PARTS_OF_URL: Final = ("host", "port", "path")
# Cordial's word -> ours.
SYNONYMS: Final[Mapping[str, str]] = {
    "server": "host",
    "username": "user",
    "aws_access_key_id": "accessKey",
    "aws_secret_access_key": "secretKey",
    "aws_bucket": "bucket",
    "aws_region": "region",
    "aws_endpoint": "endpoint",
    "host_key": "hostKey",
}


def pull_from_source(source: Mapping[str, Any]) -> Pull:
    """The file that a `source` names. For the web it may give `url` in place of host, port and path.

    Raises one Refused("invalid") that names every mistake; the paths begin with "source.".
    """
    members = {SYNONYMS.get(member, member): value for member, value in source.items() if value is not None}
    if "transport" in members:
        members["transport"] = str(members["transport"]).lower()
    if members.get("transport") in WEB and "url" in members:
        return pull_from_url(members)
    path = members.pop("path", None)
    refuse([*find_mistakes(members), *check_file_path(str(members.get("transport")), path)])
    return Pull(build_remote(members), path)


def pull_from_url(members: Mapping[str, Any]) -> Pull:
    """Raises Refused("invalid")."""
    complaints = [
        Complaint(member, f"`{member}` is part of `url` already. Send one or the other")
        for member in PARTS_OF_URL
        if member in members
    ]
    rest = {member: value for member, value in members.items() if member not in (*PARTS_OF_URL, "url")}
    try:
        target = parse_url(members["url"], members["transport"])
    except TransportFailed as failed:
        mistakes = find_mistakes(rest | {"host": "unknown"})
        raise invalid_source([*complaints, Complaint("url", failed.detail), *mistakes]) from None
    rest |= {"transport": target.scheme, "host": target.host, "port": target.port}
    refuse([*complaints, *find_mistakes(rest)])
    return Pull(build_remote(rest), target.path)


def parse_url(url: object, transport: str) -> ServerUrl:
    """Raises TransportFailed."""
    target = parse_server_url(url if isinstance(url, str) else "")
    if target.scheme != "https" and transport == "https":
        raise TransportFailed("address", "`url` must begin with https:// for this transport")
    return target


def refuse(complaints: list[Complaint]) -> None:
    if complaints:
        raise invalid_source(complaints)


def invalid_source(complaints: Iterable[Complaint]) -> Refused:
    return invalid([Complaint(f"source.{each.path}", each.reason) for each in complaints])
