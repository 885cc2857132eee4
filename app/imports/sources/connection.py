"""A stored connection: a place by name, its secrets sealed to its row; read from what a caller declares."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final

from pydantic import SecretStr

from app.errors import Complaint, Refused
from app.imports.sources.pull import Pull
from app.runs.model import AccountId
from app.transports.failed import TransportFailed
from app.transports.target import checked_port, target_of
from app.transports.transport import OPTIONS, TRUST_FIRST, Option, Place

# Member of the JSON -> option of a place.
MEMBERS: Final[Mapping[str, str]] = {
    "root": "root",
    "tls": "tls",
    "hostKey": "host_key",
    "bucket": "bucket",
    "region": "region",
    "endpoint": "endpoint",
    "pathStyle": "path_style",
}
SECRETS: Final[Mapping[str, str]] = {
    "password": "password",
    "privateKey": "private_key",
    "passphrase": "passphrase",
    "accessKey": "access_key",
    "secretKey": "secret_key",
    "sessionToken": "session_token",
}
PLAIN: Final = ("name", "transport", "host", "port", "user")
# With another of these a stored secret would go to somebody else.
WHERE: Final = ("transport", "host", "port", "user", "endpoint", "tls", "hostKey")
LONGEST: Final = 65_536  # characters of a value, a private key being the longest

_name = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,98}[^\s\x00-\x1f\x7f])?").fullmatch


@dataclass(frozen=True, slots=True)
class Declared:
    """A connection as it was declared: what may be shown, and what may not."""

    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    locked: bool = False  # there are secrets that cannot be opened

    @property
    def name(self) -> str:
        return str(self.settings["name"])


def new_connection_id() -> str:
    return f"con_{token_hex(12)}"


def bound_to(account_id: AccountId, connection_id: str) -> str:
    """What the secrets are sealed to: in another row, or another account's, they open nothing."""
    return f"connection:{account_id}:{connection_id}"


def declared(body: Mapping[str, object], kept: Declared | None = None) -> Declared:
    """What a body declares; secrets that it leaves out stay as they were kept, unless they would go elsewhere. Raises
    one Refused("invalid") that names every mistake."""
    complaints = list(unknown(body))
    settings = {name: value for name in (*PLAIN, *MEMBERS) if (value := body.get(name)) is not None}
    complaints += misfits(settings)
    secrets = {name: value for name in SECRETS if (value := body.get(name)) is not None}
    complaints += [Complaint(name, "must be a text") for name, value in secrets.items() if not text(value)]
    told = {name: str(value) for name, value in secrets.items()}
    if kept is not None and not complaints:
        complaints += elsewhere(settings, told, kept)
        told = {**kept.secrets, **told}
    if complaints:
        raise invalid(complaints)
    found = Declared(settings, told)
    try:
        place = place_of(found)
        checked_port(place.scheme, place.port)
        if "endpoint" in settings:
            target_of(str(settings["endpoint"]))
    except TransportFailed as wrong:
        raise invalid([Complaint("", wrong.detail)]) from None
    return found


def invalid(complaints: list[Complaint]) -> Refused:
    told = "; ".join(f"{each.path}: {each.reason}" if each.path else each.reason for each in complaints)
    return Refused("invalid", told, complaints)


def unknown(body: Mapping[str, object]) -> list[Complaint]:
    known = {*PLAIN, *MEMBERS, *SECRETS}
    return [
        Complaint(name[:50], f"is not known here; known: {', '.join(sorted(known))}") for name in body.keys() - known
    ]


def misfits(settings: Mapping[str, Any]) -> list[Complaint]:
    found = [Complaint(name, "is required") for name in ("name", "transport") if name not in settings]
    scheme = settings.get("transport")
    if scheme is not None and (not isinstance(scheme, str) or scheme not in OPTIONS):
        return [*found, Complaint("transport", f"must be one of {', '.join(OPTIONS)}")]
    if "name" in settings and not (isinstance(settings["name"], str) and _name(settings["name"])):
        found.append(Complaint("name", "must be 1 to 100 characters without line ends and blanks around them"))
    if scheme not in (None, "s3") and not settings.get("host"):
        found.append(Complaint("host", "is required"))
    if "@" in str(settings.get("host", "")):
        found.append(Complaint("host", "must be a host alone, without a user or a password"))
    for name, value in settings.items():
        wanted = {"port": int, "pathStyle": bool}.get(name, str)
        if not isinstance(value, wanted) or isinstance(value, bool) is not (wanted is bool) or not text(str(value)):
            found.append(Complaint(name, f"must be {WORDS[wanted]}"))
    return found


WORDS: Final = {int: "a whole number", bool: "true or false", str: "a text"}


def text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and "\0" not in value


def elsewhere(settings: Mapping[str, Any], secrets: Mapping[str, str], kept: Declared) -> list[Complaint]:
    """Whoever may change a connection must not thereby send its secrets to a server of his own."""
    moved = [name for name in WHERE if settings.get(name) != kept.settings.get(name)]
    if not moved:
        return []
    reason = f"has to be sent again, because {moved[0]} is another one"
    return [Complaint(name, reason) for name in kept.secrets if name not in secrets]


def pinned(connection: Declared, host_key: str | None) -> Mapping[str, Any] | None:
    """The settings with the host key that was shown, where the first one is to be trusted; None: nothing changes."""
    if host_key is None or connection.settings.get("hostKey") != TRUST_FIRST:
        return None
    return {**connection.settings, "hostKey": host_key}


def place_of(connection: Declared) -> Place:
    """Raises TransportFailed for a setting that does not belong to the protocol, and Refused("secrets_locked")."""
    if connection.locked:
        raise Refused("secrets_locked", "The connection's secrets cannot be opened with the keys of this service")
    given, secrets = connection.settings, connection.secrets
    options: dict[str, Option] = {option: given[name] for name, option in MEMBERS.items() if name in given}
    options |= {
        option: SecretStr(secrets[name]) for name, option in SECRETS.items() if name in secrets and name != "password"
    }
    password = SecretStr(secrets["password"]) if "password" in secrets else None
    return Place(given["transport"], given.get("host", ""), given.get("port"), given.get("user", ""), password, options)


def pull_of(connection: Declared, path: str) -> Pull:
    return Pull(place_of(connection), path)
