"""A stored connection: a place by name, its secrets sealed to its row; read from what a caller declares."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from secrets import token_hex
from typing import Any, Final

from pydantic import SecretStr

from app.connections.pull import Pull, misplaced
from app.errors import Complaint, Refused, describe
from app.runs.model import AccountId
from app.transports.options import RULES, TRUST_FIRST
from app.transports.transport import Option, Remote

# Member of the JSON -> word of RULES.
OPEN: Final[Mapping[str, str]] = {
    "host": "host",
    "port": "port",
    "user": "user",
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
# What is no option of a place, but a part of its own.
OWN: Final = ("host", "port", "user")
# With another of these a stored secret would go to somebody else.
WHERE: Final = ("transport", "host", "port", "user", "endpoint", "tls", "hostKey")
MOST_UNKNOWN: Final = 20  # members that are told; a body has room for many thousands

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
    Refused: invalid (it names every mistake), secrets_locked (what is left out stays, but cannot be opened)."""
    given: dict[str, Any] = {member: value for member, value in body.items() if value is not None}
    name = given.pop("name", None)
    secrets = {member: value for member, value in given.items() if member in SECRETS}
    if kept is not None and kept.locked and not secrets:
        raise locked("send them again")
    settings = {member: value for member, value in given.items() if member not in SECRETS}
    staying = kept.secrets if kept is not None else {}
    complaints = [*misnamed(name), *misfits(given, staying)]
    if not complaints:
        staying = {member: value for member, value in staying.items() if SECRETS[member] in RULES[given["transport"]]}
        complaints += elsewhere(settings, staying.keys() - secrets.keys(), kept)
    if complaints:
        raise invalid(complaints)
    return Declared({"name": name, **settings}, {**staying, **secrets})


def misnamed(name: object) -> Iterator[Complaint]:
    if name is None:
        yield Complaint("name", "is required")
    elif not (isinstance(name, str) and _name(name)):
        yield Complaint("name", "must be 1 to 100 characters without line ends and blanks around them")


def misfits(given: Mapping[str, object], kept: Collection[str] = ()) -> Iterator[Complaint]:
    """What is wrong with the members of a place; those of `kept` are there already."""
    transport = given.get("transport")
    if not isinstance(transport, str) or transport not in RULES:
        reason = "is required" if transport is None else f"must be one of {', '.join(RULES)}"
        yield Complaint("transport", reason)
        return
    rules = RULES[transport]
    known = {member: rules[word] for member, word in {**OPEN, **SECRETS}.items() if word in rules}
    unknown = (member for member in given if member not in known and member != "transport")
    for member in islice(unknown, MOST_UNKNOWN):
        # Whatever the name holds, the answer that repeats it can be encoded.
        yield Complaint(
            member[:50].encode("utf-8", "replace").decode(), f"is not known for {transport}; known: {', '.join(known)}"
        )
    for member, rule in known.items():
        value = given.get(member)
        if value is None and rule.required and member not in kept:
            yield Complaint(member, "is required")
        elif value is not None and not rule.accepts(value):
            yield Complaint(member, rule.requirement)


def elsewhere(settings: Mapping[str, Any], staying: Iterable[str], kept: Declared | None) -> Iterator[Complaint]:
    """Whoever may change a connection must not thereby send its secrets to a server of his own."""
    moved = [name for name in WHERE if kept is not None and settings.get(name) != kept.settings.get(name)]
    for name in sorted(staying if moved else ()):
        yield Complaint(name, f"has to be sent again, because {moved[0]} is another one")


def invalid(complaints: Sequence[Complaint]) -> Refused:
    return Refused("invalid", describe(complaints), complaints)


def locked(remedy: str) -> Refused:
    return Refused(
        "secrets_locked",
        "The connection's secrets cannot be opened with the keys of this service (SLUICE_VAULT_KEYS, or those made from"
        f" SLUICE_SECRET_KEY): {remedy}",
    )


def pinned(connection: Declared, host_key: str | None) -> Mapping[str, Any] | None:
    """The settings with the host key that was shown, where the first one is to be trusted; None: nothing changes."""
    if host_key is None or connection.settings.get("hostKey") != TRUST_FIRST:
        return None
    return {**connection.settings, "hostKey": host_key}


def remote_of(connection: Declared) -> Remote:
    """Raises TransportFailed for an option that does not belong to the protocol, and Refused("secrets_locked")."""
    if connection.locked:
        raise locked("send them again by PUT, or set the keys that have sealed them")
    return remote_from({**connection.settings, **connection.secrets})


def remote_from(given: Mapping[str, Any]) -> Remote:
    """A place by the members of a connection, which fit."""
    words = {word: given[member] for member, word in OPEN.items() if member in given}
    secrets = {word: SecretStr(given[member]) for member, word in SECRETS.items() if member in given}
    password = secrets.pop("password", None)
    options: dict[str, Option] = {word: value for word, value in words.items() if word not in OWN}
    return Remote(
        given["transport"], words.get("host", ""), words.get("port"), words.get("user", ""), password, options | secrets
    )


def pull_of(connection: Declared, path: str) -> Pull:
    """Raises Refused: invalid (no path of one file), secrets_locked."""
    remote = remote_of(connection)
    wrong = misplaced(remote.scheme, path)
    if wrong:
        raise invalid([Complaint("path", wrong)])
    return Pull(remote, path)
