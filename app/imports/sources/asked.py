"""A source that is named in the request itself: the words of a connection, or those of Cordial's API."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretStr

from app.errors import Complaint, Refused
from app.imports.sources.connection import declared, place_of
from app.imports.sources.pull import Pull
from app.transports.failed import TransportFailed
from app.transports.target import target_of
from app.transports.transport import Place, plain

# Cordial's word -> ours.
SYNONYMS: Final[Mapping[str, str]] = {
    "server": "host",
    "username": "user",
    "aws_access_key_id": "accessKey",
    "aws_secret_access_key": "secretKey",
    "aws_bucket": "bucket",
    "aws_region": "region",
}
WEB: Final = ("http", "https")


def pull_from_source(source: Mapping[str, Any]) -> Pull:
    """`url` for the web, else a connection's members and `path`. Raises Refused("invalid") with paths below source."""
    told = {SYNONYMS.get(name, name): value for name, value in source.items()}
    told["transport"] = str(told.get("transport", "")).lower()
    if told["transport"] in WEB and "url" in told:
        return from_web(told)
    path = told.pop("path", None)
    try:
        return Pull(place_of(declared(told | {"name": "source"})), plain(path if isinstance(path, str) else ""))
    except TransportFailed as wrong:
        raise refused(Complaint("path", wrong.detail)) from None
    except Refused as wrong:
        raise refused(*wrong.complaints) from None


def from_web(told: Mapping[str, Any]) -> Pull:
    """Raises Refused("invalid")."""
    url, user, password = (told.get(name) for name in ("url", "user", "password"))
    try:
        target = target_of(url if isinstance(url, str) else "")
    except TransportFailed as wrong:
        raise refused(Complaint("url", wrong.detail)) from None
    if target.scheme != "https" and told["transport"] == "https":
        raise refused(Complaint("url", "must begin with https:// for this transport"))
    secret = SecretStr(password) if isinstance(password, str) else None
    return Pull(Place(target.scheme, target.host, target.port, str(user or ""), secret), target.path)


def refused(*complaints: Complaint) -> Refused:
    below = [Complaint(f"source.{each.path}".rstrip("."), each.reason) for each in complaints]
    return Refused("invalid", "; ".join(f"{each.path}: {each.reason}" for each in below), below)
