"""What a place may say, by its protocol: each word, what it takes, whether it has to be there. Nothing is dialled."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import Any, Final

from app.transports.failed import TransportFailed
from app.transports.url import checked_port, server_url

TRUST_FIRST: Final = "trust-on-first-use"  # a value of `host_key`; anything else is the pinned key itself
TLS: Final = ("explicit", "implicit")
LONGEST: Final = 65_536  # characters of a text
LONGEST_KEY: Final = 8_192  # characters; RSA with 8,192 bits has 6,400

NO_TEXT = re.compile("[\0\ud800-\udfff]")
NAME = re.compile(r"[^\s\x00-\x1f\x7f/\\?#@%:\[\]]{1,253}")
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])")  # it becomes part of a host name
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
PUBLIC_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+={0,2})(?: [^\r\n]*)?")
PEM = re.compile(r"-----BEGIN ((?:[A-Z]+ )?)PRIVATE KEY-----((?:(?!-----).)+)-----END \1PRIVATE KEY-----", re.DOTALL)


def anything(_: object) -> bool:
    return True


def is_host(text: str) -> bool:
    """A name, or an address without brackets; whether it may be called is the guard's to say."""
    if NAME.fullmatch(text):
        return True
    try:
        return bool(ip_address(text)) and "%" not in text
    except ValueError:
        return False


def is_port(scheme: str, port: int) -> bool:
    try:
        return checked_port(scheme, port) == port
    except TransportFailed:
        return False


def is_endpoint(text: str) -> bool:
    try:
        return bool(server_url(text))
    except TransportFailed:
        return False


def is_host_key(text: str) -> bool:
    text = text.strip()
    if text == TRUST_FIRST or FINGERPRINT.fullmatch(text):
        return True
    key = PUBLIC_KEY.fullmatch(text)
    try:
        # It names its kind once more inside, behind four bytes with the length of that.
        return key is not None and base64.b64decode(key[2], validate=True)[4:].startswith(key[1].encode())
    except binascii.Error:
        return False


def is_private_key(text: str) -> bool:
    return len(text) <= LONGEST_KEY and PEM.fullmatch(text.strip()) is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """What one word of a place takes: a value of a kind, for which `fits` holds; `reason` tells callers of both."""

    reason: str = f"must be a text of 1 to {LONGEST:,} characters"
    fits: Callable[[Any], bool] = anything
    kind: type = str
    required: bool = False

    def takes(self, value: object) -> bool:
        if isinstance(value, str) and (not 0 < len(value) <= LONGEST or NO_TEXT.search(value)):
            return False
        return type(value) is self.kind and self.fits(value)


TEXT: Final = Rule()
NEEDED: Final = Rule(required=True)
HOST: Final = Rule(
    "must be a host alone, such as files.example.com: no protocol, port, path or user", is_host, required=True
)


def server(scheme: str, **more: Rule) -> dict[str, Rule]:
    port = Rule("must be the number of a port that this service may call", partial(is_port, scheme), int)
    return {"host": HOST, "port": port, "user": TEXT, "password": TEXT, **more}


# A key is also one of `app.transports.TRANSPORTS`. `root` is the folder that relative paths start from; `headers` and
# the keys are secrets. S3 without `endpoint` is Amazon's.
RULES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "http": server("http", headers=Rule(kind=dict)),
    "https": server("https", headers=Rule(kind=dict)),
    "ftp": server("ftp", root=TEXT),
    "ftps": server("ftps", root=TEXT, tls=Rule(f"must be one of {', '.join(TLS)}", TLS.__contains__)),
    "sftp": server(
        "sftp",
        root=TEXT,
        host_key=Rule(
            f"must be the server's public key as OpenSSH writes it, its SHA256: fingerprint, or {TRUST_FIRST}",
            is_host_key,
            required=True,
        ),
        private_key=Rule(
            f"must be a private key in PEM, from BEGIN to END, of at most {LONGEST_KEY:,} characters", is_private_key
        ),
        passphrase=TEXT,
    ),
    "s3": {
        "bucket": Rule("must be the name of a bucket", lambda text: BUCKET.fullmatch(text) is not None, required=True),
        "region": Rule("must be a region such as eu-west-1", lambda text: REGION.fullmatch(text) is not None),
        "endpoint": Rule("must be an address such as https://s3.example.com:9000, that may be called", is_endpoint),
        "path_style": Rule("must be true or false", kind=bool),
        "root": TEXT,
        "access_key": NEEDED,
        "secret_key": NEEDED,
        "session_token": TEXT,
    },
}
