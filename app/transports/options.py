"""The options of a remote server, protocol by protocol: which there are, which are required, what each accepts."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import Any, Final

from app.errors import join_choices
from app.transports.failed import TransportFailed
from app.transports.key_cost import LONGEST_KEY, clean_private_key, find_pem
from app.transports.url import parse_server_url, validate_port

TRUST_FIRST: Final = "trust-on-first-use"  # a value of `host_key`; anything else is the pinned key itself
TLS: Final = ("explicit", "implicit")
LONGEST: Final = 65_536  # characters of a value

NO_TEXT = re.compile("[\0\ud800-\udfff]")
NAME = re.compile(r"[^\s\x00-\x1f\x7f/\\?#@%:\[\]]{1,253}")
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])")  # it becomes part of a host name
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
PUBLIC_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+={0,2})(?: [^\r\n]*)?")


def accept_all(_: object) -> bool:
    return True


def is_host(text: str) -> bool:
    """A name, or an address without brackets. Whether it may be called is for the guard to decide."""
    if NAME.fullmatch(text):
        return True
    try:
        return bool(ip_address(text)) and "%" not in text
    except ValueError:
        return False


def is_port(scheme: str, port: int) -> bool:
    try:
        return validate_port(scheme, port) == port
    except TransportFailed:
        return False


def is_endpoint(text: str) -> bool:
    try:
        return bool(parse_server_url(text))
    except TransportFailed:
        return False


def is_host_key(text: str) -> bool:
    text = text.strip()
    if text == TRUST_FIRST or FINGERPRINT.fullmatch(text):
        return True
    key = PUBLIC_KEY.fullmatch(text)
    try:
        # The decoded key begins with four bytes of length and the name of its kind once more.
        return key is not None and base64.b64decode(key[2], validate=True)[4:].startswith(key[1].encode())
    except binascii.Error:
        return False


def is_private_key(text: str) -> bool:
    return find_pem(text) is not None and not explain_private_key(text)


def explain_private_key(text: str) -> str:
    try:
        return clean_private_key(text).slow
    except ValueError:
        return ""


def explain_nothing(_: object) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class OptionRule:
    """What one option accepts: a value of type `kind` for which `fits` holds. `requirement` says so to callers: it goes
    on from the name of the option, as in "`port` must be …". `explain` may know more of a value that does not fit."""

    requirement: str = f"must be a string of 1 to {LONGEST:,} characters, without NUL characters"
    fits: Callable[[Any], bool] = accept_all
    kind: type = str
    required: bool = False
    explain: Callable[[Any], str] = explain_nothing

    def accepts(self, value: object) -> bool:
        if isinstance(value, str) and (not 0 < len(value) <= LONGEST or NO_TEXT.search(value)):
            return False
        return type(value) is self.kind and self.fits(value)

    def describe_mistake(self, value: object) -> str:
        """What is wrong with a value that is not accepted. It goes on from the name of the option."""
        return (self.explain(value) if type(value) is self.kind else "") or self.requirement


TEXT: Final = OptionRule()
NEEDED: Final = OptionRule(required=True)
HOST: Final = OptionRule(
    "must be a host name or address alone, such as files.example.com, without protocol, port, path or user",
    is_host,
    required=True,
)


def server_rules(scheme: str, **more: OptionRule) -> dict[str, OptionRule]:
    port = OptionRule(
        "must be a number from 1 to 65535 and a port that this service is allowed to call",
        partial(is_port, scheme),
        int,
    )
    return {"host": HOST, "port": port, "user": TEXT, "password": TEXT, **more}


# The keys are those of `app.transports.TRANSPORTS`. `root` is the folder that relative paths start from; `headers` and
# the keys are secret. S3 without `endpoint` is Amazon's.
RULES: Final[Mapping[str, Mapping[str, OptionRule]]] = {
    "http": server_rules("http", headers=OptionRule(kind=dict)),
    "https": server_rules("https", headers=OptionRule(kind=dict)),
    "ftp": server_rules("ftp", root=TEXT),
    "ftps": server_rules("ftps", root=TEXT, tls=OptionRule(f"must be {join_choices(TLS)}", TLS.__contains__)),
    "sftp": server_rules(
        "sftp",
        root=TEXT,
        host_key=OptionRule(
            f"must be the server's public key in OpenSSH format, its SHA256: fingerprint, or {TRUST_FIRST}",
            is_host_key,
            required=True,
        ),
        private_key=OptionRule(
            f"must be a private key in PEM format, from BEGIN to END, at most {LONGEST_KEY:,} characters long",
            is_private_key,
            explain=explain_private_key,
        ),
        passphrase=TEXT,
    ),
    "s3": {
        "bucket": OptionRule(
            "must be a bucket name of 3 to 63 letters, digits, dots, hyphens and underscores",
            lambda text: BUCKET.fullmatch(text) is not None,
            required=True,
        ),
        "region": OptionRule("must be a region, such as eu-west-1", lambda text: REGION.fullmatch(text) is not None),
        "endpoint": OptionRule(
            "must be a URL that this service is allowed to call, such as https://s3.example.com:9000", is_endpoint
        ),
        "path_style": OptionRule("must be true or false", kind=bool),
        "root": TEXT,
        "access_key": NEEDED,
        "secret_key": NEEDED,
        "session_token": TEXT,
    },
}
