"""SSH keys: the host key that a server must present, and the private key to log in with, read at a bounded cost."""

import asyncio
import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import asyncssh
from asyncssh.asn1 import der_decode_partial

from app.transports.failed import bad_option, failure
from app.transports.options import FINGERPRINT, LONGEST_KEY, PEM, TRUST_FIRST
from app.transports.transport import Remote

# Kinds of host keys and their algorithms, best first. Certificates are left out, because nobody here could check them,
# and so are signatures with SHA-1.
KINDS: dict[str, tuple[str, ...]] = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa": ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
OLD_KINDS = frozenset({"RSA ", "EC ", "DSA "})  # their passphrase is hashed only once
MOST_ROUNDS = 256  # of bcrypt, 25 ms each; ssh-keygen's defaults are 16 and 24
MOST_ITERATIONS = 5_000_000  # of PBKDF2; OpenSSL's default is 2,048


@dataclass(frozen=True, slots=True)
class ExpectedHostKey:
    """The host key to expect: this key, one with this fingerprint, or any if neither is given."""

    key: asyncssh.SSHKey | None = None
    fingerprint: str = ""

    def accepts(self, key: asyncssh.SSHKey) -> bool:
        if self.key is not None:
            return key.public_data == self.key.public_data
        return not self.fingerprint or key.get_fingerprint() == self.fingerprint

    def kinds(self) -> Iterable[str]:
        """The kinds to ask for: names in KINDS."""
        return KINDS if self.key is None else [find_kind(self.key)]


def find_kind(key: asyncssh.SSHKey) -> str:
    """The key's name in KINDS; empty if it is of no kind that this service accepts."""
    own = key.get_algorithm()
    return next((kind for kind in KINDS if own.startswith(kind)), "")


def list_algorithms(kinds: Iterable[str]) -> list[str]:
    """The algorithms to negotiate for host keys of these kinds."""
    return [algorithm for kind in kinds for algorithm in KINDS[kind]]


def parse_expected_host_key(remote: Remote) -> ExpectedHostKey:
    """Reads the option `host_key`: a public key in OpenSSH format, a fingerprint, or TRUST_FIRST."""
    expected = remote.text("host_key").strip()
    if not expected:
        raise failure("no_host_key")
    if expected == TRUST_FIRST:
        return ExpectedHostKey()
    if FINGERPRINT.fullmatch(expected):
        return ExpectedHostKey(fingerprint=expected)
    try:
        return ExpectedHostKey(asyncssh.import_public_key(expected))
    except (asyncssh.KeyImportError, ValueError):
        raise bad_option("host_key") from None


async def load_private_key(remote: Remote) -> asyncssh.SSHKey | None:
    """Reads the option `private_key`, in a thread: decrypting with a passphrase is slow on purpose."""
    secret = remote.secret("private_key")
    if not secret:
        return None
    try:
        text = normalize_private_key(secret)
        return await asyncio.to_thread(asyncssh.import_private_key, text, remote.secret("passphrase") or None)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError, LookupError, RecursionError):
        raise bad_option("private_key", "passphrase") from None


def normalize_private_key(text: str) -> str:
    """The private key as clean PEM. Raises ValueError if it is not one or would take too long to decrypt."""
    pem = PEM.fullmatch(text.strip()) if len(text) <= LONGEST_KEY else None
    if not pem:
        raise ValueError("not a private key")
    kind, body = pem.groups()
    if kind in OLD_KINDS:
        return pem[0]
    raw = base64.b64decode("".join(body.split()), validate=True)
    if kind == "OPENSSH ":
        rounds, most = read_bcrypt_rounds(raw), MOST_ROUNDS
    else:
        rounds, most = max(find_numbers(der_decode_partial(raw)[0]), default=0) if kind else 0, MOST_ITERATIONS
    if rounds > most:
        raise ValueError("too slow to decrypt")
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{base64.b64encode(raw).decode()}\n-----END {kind}PRIVATE KEY-----\n"


def read_bcrypt_rounds(raw: bytes) -> int:
    """The rounds of bcrypt: the magic word is followed by cipher, KDF and its options, which end with this number."""
    at = len(b"openssh-key-v1\0")
    value = b""
    for _ in range(3):
        size = int.from_bytes(raw[at : at + 4], "big")
        value, at = raw[at + 4 : at + 4 + size], at + 4 + size
    return int.from_bytes(value[-4:], "big")


def find_numbers(value: object) -> Iterator[int]:
    """Every number in decoded ASN.1. In an encrypted key the largest is the iteration count."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, tuple | frozenset):
        for each in value:
            yield from find_numbers(each)
