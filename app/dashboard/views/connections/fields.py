"""The fields of a connection's form, by transport: app.transports.options says which, here is how they are called."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from app.connections.declaration import SECRETS, SETTINGS
from app.transports.options import RULES, TRUST_FIRST

STORED: Final = "Stored. Leave empty to keep it."
AGAIN: Final = "Type it again: what is secret is never sent back to a page."
TRANSPORTS: Final[Mapping[str, tuple[str, str]]] = {
    "s3": ("S3", "A bucket of Amazon, or of any service that speaks its protocol"),
    "sftp": ("SFTP", "Files over SSH, with a password or a key"),
    "ftps": ("FTPS", "FTP over an encrypted connection"),
    "ftp": ("FTP", "Without encryption: passwords and files can be read on the way"),
    "https": ("HTTPS", "Files of a web server. Nothing can be delivered there"),
    "http": ("HTTP", "The same without encryption"),
}


MEMBER: Final = re.compile(r"`(\w+)`")


@dataclass(frozen=True, slots=True)
class FieldWords:
    """How a member of a connection is asked for. `choices` are values and their words."""

    label: str
    help: str = ""
    kind: Literal["text", "password", "lines", "choice"] = "text"
    choices: tuple[tuple[str, str], ...] = ()


# In the order of the form. The keys are those of SETTINGS and SECRETS.
FIELDS: Final[Mapping[str, FieldWords]] = {
    "bucket": FieldWords("Bucket"),
    "region": FieldWords("Region", "Such as eu-west-1. Empty: us-east-1"),
    "endpoint": FieldWords("Endpoint", "The address of a service other than Amazon's: https://s3.example.com:9000"),
    "pathStyle": FieldWords(
        "Bucket in the address",
        "Services other than Amazon's mostly want it in the path.",
        "choice",
        (("", "As usual: in the path if there is an endpoint"), ("true", "In the path"), ("false", "In the host name")),
    ),
    "accessKey": FieldWords("Access key", kind="password"),
    "secretKey": FieldWords("Secret key", kind="password"),
    "sessionToken": FieldWords("Session token", "Only for keys that were lent for a while", "password"),
    "host": FieldWords("Host", "A name or an address alone, such as files.example.com"),
    "port": FieldWords("Port", "Leave empty for the usual one"),
    "hostKey": FieldWords(
        "Host key",
        f"The server's public key or its SHA256 fingerprint. {TRUST_FIRST}: the key that the server shows at the first "
        "successful test is stored, and no other is accepted afterwards.",
    ),
    "tls": FieldWords(
        "Encryption", "", "choice", (("", "Explicit, as most servers have it"), ("implicit", "Implicit, on port 990"))
    ),
    "user": FieldWords("User"),
    "password": FieldWords("Password", kind="password"),
    "privateKey": FieldWords("Private key", "In OpenSSH or PEM format, from BEGIN to END", "lines"),
    "passphrase": FieldWords("Passphrase", "Of the private key", "password"),
    "root": FieldWords("Folder", "Paths start here. Leave empty for the folder in which the login starts"),
}


@dataclass(frozen=True, slots=True)
class FormField:
    """A field as the template shows it."""

    name: str
    words: FieldWords
    help: str
    required: bool


def list_members(transport: str) -> list[str]:
    """The members of a connection over this transport, in the order of the form."""
    words = {**SETTINGS, **SECRETS}
    return [member for member in FIELDS if words[member] in RULES[transport]]


def list_fields(transport: str, *, stored: Collection[str] = (), typed: Collection[str] = ()) -> list[FormField]:
    """`stored` and `typed` are the secrets that are kept, and those that were sent with a form that is shown again."""
    rules, words = RULES[transport], {**SETTINGS, **SECRETS}
    return [
        FormField(
            member,
            FIELDS[member],
            AGAIN if member in typed else STORED if member in stored else FIELDS[member].help,
            rules[words[member]].required and member not in stored,
        )
        for member in list_members(transport)
    ]


def show_settings(settings: Mapping[str, Any]) -> dict[str, object]:
    """The settings as the values of the form. Secrets come empty."""
    shown = {member: settings.get(member) for member in list_members(settings["transport"])}
    if "pathStyle" in shown and shown["pathStyle"] is not None:
        shown["pathStyle"] = "true" if shown["pathStyle"] else "false"
    return {"name": settings.get("name"), **shown}


def name_fields(reason: str) -> str:
    """A complaint in the words of the form: "`hostKey` is required" is "Host key is required"."""
    labels = {"name": "Name", **{member: words.label for member, words in FIELDS.items()}}
    return MEMBER.sub(lambda found: labels.get(found[1], found[0]), reason)
