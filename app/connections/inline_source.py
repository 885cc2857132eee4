"""The `source` of a request: a remote and one file, in the members of a connection or in the words of Cordial's API."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.connections.declaration import build_remote, check_file_path, find_mistakes, invalid
from app.connections.pull import WEB, Pull
from app.errors import Complaint, Refused
from app.transports.failed import TransportFailed
from app.transports.url import ServerUrl, parse_server_url

PARTS_OF_URL: Final = ("host", "port", "path")
# Why a URL cannot be parsed -> what is wrong with `url`. The keys are reasons of the transports.
URL_MISTAKES: Final[Mapping[str, str]] = {
    "bad_scheme": "must begin with http:// or https://",
    "bad_port": "has a port that this service is not allowed to call",
    "bad_address": "is not a valid URL, such as https://example.com/file.csv, without user and password",
}
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

    Raises one Refused("invalid") that names every mistake by the member that was sent, as in "source.username".
    """
    members = {SYNONYMS.get(member, member): value for member, value in source.items() if value is not None}
    if "transport" in members:
        members["transport"] = str(members["transport"]).lower()
    try:
        return pull_from_members(members)
    except Refused as refused:
        sent_names = find_sent_names(source)
        raise invalid([name_as_sent(complaint, sent_names) for complaint in refused.complaints]) from None


def find_sent_names(source: Mapping[str, Any]) -> Mapping[str, str]:
    """Our name -> the caller's. What is missing is called by Cordial's word if the caller uses any of them."""
    uses_synonyms = not SYNONYMS.keys().isdisjoint(source)
    synonyms = {ours: word for word, ours in SYNONYMS.items()} if uses_synonyms else {}
    return synonyms | {SYNONYMS.get(member, member): member for member, value in source.items() if value is not None}


def name_as_sent(complaint: Complaint, sent_names: Mapping[str, str]) -> Complaint:
    path = f"source.{sent_names.get(complaint.path, complaint.path)}"
    return Complaint(path, complaint.reason.replace(f"`{complaint.path}`", f"`{path}`", 1))


def pull_from_members(members: Mapping[str, Any]) -> Pull:
    """Raises Refused("invalid")."""
    if members.get("transport") in WEB and "url" in members:
        return pull_from_url(members)
    path = members.get("path")
    rest = {member: value for member, value in members.items() if member != "path"}
    refuse([*find_mistakes(rest), *check_file_path(str(members.get("transport")), path)])
    return Pull(build_remote(rest), str(path))


def pull_from_url(members: Mapping[str, Any]) -> Pull:
    """Raises Refused("invalid")."""
    complaints = [
        Complaint(member, f"`{member}` is part of `source.url` already. Send one or the other")
        for member in PARTS_OF_URL
        if member in members
    ]
    rest = {member: value for member, value in members.items() if member not in (*PARTS_OF_URL, "url")}
    try:
        target = parse_url(members["url"], members["transport"])
    except TransportFailed as failed:
        reason = f"`url` {URL_MISTAKES[failed.reason]}" if failed.reason in URL_MISTAKES else failed.detail
        mistakes = find_mistakes(rest | {"host": "unknown"})
        raise invalid([*complaints, Complaint("url", reason), *mistakes]) from None
    rest |= {"transport": target.scheme, "host": target.host, "port": target.port}
    refuse([*complaints, *find_mistakes(rest)])
    return Pull(build_remote(rest), target.path)


def parse_url(url: object, transport: str) -> ServerUrl:
    """Raises TransportFailed."""
    target = parse_server_url(url if isinstance(url, str) else "")
    if target.scheme != "https" and transport == "https":
        raise TransportFailed("address", "`url` must begin with https:// for this transport")
    return target


def refuse(complaints: Sequence[Complaint]) -> None:
    if complaints:
        raise invalid(complaints)
