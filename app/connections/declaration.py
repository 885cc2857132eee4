"""What a caller declares about a remote server: read from JSON with every mistake named, and made a `Remote`."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pydantic import SecretStr

from app.connections.pull import find_path_mistake
from app.errors import Complaint, Refused, describe, join_choices
from app.resources.invisible import UNSEEN_NAME, is_seen
from app.transports.options import RULES
from app.transports.transport import Option, Remote

# Member of the JSON -> name in RULES.
SETTINGS: Final[Mapping[str, str]] = {
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
# Attributes of a Remote; everything else goes to its options.
ATTRIBUTES: Final = ("host", "port", "user")
# A stored secret is sent to somebody else when one of these changes.
IDENTITY: Final = ("transport", "host", "port", "user", "endpoint", "tls", "hostKey")
MOST_UNKNOWN: Final = 20  # unknown members that are named; a body has room for many thousands

_is_name = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,98}[^\s\x00-\x1f\x7f])?").fullmatch


@dataclass(frozen=True, slots=True)
class ConnectionDeclaration:
    """A connection as it was declared: `settings`, which may be shown, and `secrets`, which never are."""

    settings: Mapping[str, Any]
    secrets: Mapping[str, str]

    @property
    def name(self) -> str:
        return str(self.settings["name"])

    def is_same_remote(self, other: "ConnectionDeclaration") -> bool:
        """Whether both are the same but for the name."""
        return self.secrets == other.secrets and {**self.settings, "name": ""} == {**other.settings, "name": ""}


def parse_declaration(body: Mapping[str, object], stored: ConnectionDeclaration | None = None) -> ConnectionDeclaration:
    """What a body declares. Secrets that it leaves out are taken from `stored`, unless they would go to another server.

    Raises Refused("invalid"), which names every mistake.
    """
    members: dict[str, Any] = {member: value for member, value in body.items() if value is not None}
    name = members.pop("name", None)
    secrets = {member: value for member, value in members.items() if member in SECRETS}
    settings = {member: value for member, value in members.items() if member not in SECRETS}
    kept = stored.secrets if stored is not None else {}
    complaints = [*check_name(name), *find_mistakes(members, kept)]
    if not complaints:
        kept = {member: value for member, value in kept.items() if SECRETS[member] in RULES[members["transport"]]}
        complaints += check_identity(settings, kept.keys() - secrets.keys(), stored)
    if complaints:
        raise invalid(complaints)
    return ConnectionDeclaration({"name": name, **settings}, {**kept, **secrets})


def check_name(name: object) -> Iterator[Complaint]:
    if name is None:
        yield Complaint("name", "`name` is required")
    elif not (isinstance(name, str) and _is_name(name)):
        yield Complaint("name", "`name` must be 1 to 100 characters long, without line breaks or surrounding spaces")
    elif not is_seen(name):
        yield Complaint("name", UNSEEN_NAME)


def find_mistakes(members: Mapping[str, object], kept: Collection[str] = ()) -> Iterator[Complaint]:
    """What is wrong with the members of a remote: `transport`, and the keys of SETTINGS and SECRETS.

    The path of each complaint is the member, its reason a sentence that names it. Members in `kept` may be left out
    even if they are required.
    """
    transport = members.get("transport")
    if not isinstance(transport, str) or transport not in RULES:
        requirement = "is required" if transport is None else f"must be one of {join_choices(RULES)}"
        yield Complaint("transport", f"`transport` {requirement}")
        return
    rules = RULES[transport]
    known = {member: rules[word] for member, word in {**SETTINGS, **SECRETS}.items() if word in rules}
    unknown = (member for member in members if member not in known and member != "transport")
    for member in islice(unknown, MOST_UNKNOWN):
        # Whatever the name contains, the answer that repeats it must be encodable.
        name = member[:50].encode("utf-8", "replace").decode()
        yield Complaint(name, f"`{name}` is not a member of an {transport} connection. Use {join_choices(known)}")
    for member, rule in known.items():
        value = members.get(member)
        if value is None and rule.required and member not in kept:
            yield Complaint(member, f"`{member}` is required")
        elif value is not None and not rule.accepts(value):
            yield Complaint(member, f"`{member}` {rule.describe_mistake(value)}")


def check_identity(
    settings: Mapping[str, Any], kept: Iterable[str], stored: ConnectionDeclaration | None
) -> Iterator[Complaint]:
    """Whoever may change a connection must not thereby have its secrets sent to a server of their own."""
    changed = [name for name in IDENTITY if stored is not None and settings.get(name) != stored.settings.get(name)]
    for secret in sorted(kept if changed else ()):
        yield Complaint(
            secret,
            f"Send `{secret}` again: `{changed[0]}` has changed, and a stored secret is never sent to another server",
        )


def check_file_path(scheme: str, path: object) -> Iterator[Complaint]:
    mistake = find_path_mistake(scheme, path)
    if mistake is not None:
        yield Complaint("path", mistake)


def invalid(complaints: Sequence[Complaint]) -> Refused:
    return Refused("invalid", describe(complaints), complaints)


def build_remote(members: Mapping[str, Any]) -> Remote:
    """The remote that valid members describe."""
    settings = {word: members[member] for member, word in SETTINGS.items() if member in members}
    secrets = {word: SecretStr(members[member]) for member, word in SECRETS.items() if member in members}
    password = secrets.pop("password", None)
    options: dict[str, Option] = {word: value for word, value in settings.items() if word not in ATTRIBUTES}
    return Remote(
        members["transport"],
        settings.get("host", ""),
        settings.get("port"),
        settings.get("user", ""),
        password,
        options | secrets,
    )
