"""A source that is named in the request itself: a connection's members or the words of Cordial's API, and one file."""

from collections.abc import Mapping
from typing import Any, Final

from app.connections.declaration import invalid, misfits, remote_from
from app.connections.pull import WEB, Pull, misplaced
from app.errors import Complaint, Refused
from app.transports.failed import TransportFailed
from app.transports.url import ServerUrl, parse_server_url

IN_URL: Final = ("host", "port", "path")
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
    """For the web `url` may stand in place of host, port and path. Raises one Refused("invalid") that names every
    mistake, by its path below `source`."""
    given = {SYNONYMS.get(member, member): value for member, value in source.items() if value is not None}
    given |= {"transport": str(given["transport"]).lower()} if "transport" in given else {}
    if given.get("transport") in WEB and "url" in given:
        return from_web(given)
    path = given.pop("path", None)
    complaints = [*misfits(given)]
    if wrong := misplaced(str(given.get("transport")), path):
        complaints.append(Complaint("path", wrong))
    if complaints:
        raise below(complaints)
    return Pull(remote_from(given), path)


def from_web(given: Mapping[str, Any]) -> Pull:
    """Raises Refused("invalid")."""
    complaints = [Complaint(member, "stands in url already") for member in IN_URL if member in given]
    rest = {member: value for member, value in given.items() if member not in (*IN_URL, "url")}
    try:
        target = addressed(given["url"], given["transport"])
    except TransportFailed as wrong:
        raise below([*complaints, Complaint("url", wrong.detail), *misfits(rest | {"host": "unknown"})]) from None
    rest |= {"transport": target.scheme, "host": target.host, "port": target.port}
    complaints += misfits(rest)
    if complaints:
        raise below(complaints)
    return Pull(remote_from(rest), target.path)


def addressed(url: object, transport: str) -> ServerUrl:
    """Raises TransportFailed."""
    target = parse_server_url(url if isinstance(url, str) else "")
    if target.scheme != "https" and transport == "https":
        raise TransportFailed("address", "must begin with https:// for this transport")
    return target


def below(complaints: list[Complaint]) -> Refused:
    return invalid([Complaint(f"source.{each.path}", each.reason) for each in complaints])
