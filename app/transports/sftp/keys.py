"""Keys of SSH: which host key a server has to show, and our own private key, read without letting it cost much."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import dataclass

import asyncssh
from asyncssh.asn1 import der_decode_partial

from app.transports.failed import failure
from app.transports.options import FINGERPRINT, LONGEST_KEY, PEM
from app.transports.transport import TRUST_FIRST, Remote

# Kinds of host keys, best first. A fingerprint does not tell its kind, and a server that has several keys shows only
# the one that was agreed on: so they are asked for one after the other. No certificates: nobody here could check them.
KINDS: dict[str, tuple[str, ...]] = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa": ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
OLD_KINDS = frozenset({"RSA ", "EC ", "DSA "})  # their passphrase is hashed once
MOST_ROUNDS = 256  # of bcrypt, 25 ms each; ssh-keygen makes 16 or 24 unless told otherwise
MOST_ITERATIONS = 5_000_000  # of PBKDF2; OpenSSL makes 2,048


@dataclass(frozen=True, slots=True)
class Trust:
    """What host key is expected: this one, one with this fingerprint, or (neither given) any."""

    key: asyncssh.SSHKey | None = None
    fingerprint: str = ""

    def accepts(self, key: asyncssh.SSHKey) -> bool:
        if self.key is not None:
            return key.public_data == self.key.public_data
        return not self.fingerprint or key.get_fingerprint() == self.fingerprint

    def algorithms(self) -> list[tuple[str, ...]]:
        """What to agree on with the server: one tuple for each connection to try."""
        if self.key is not None:
            own = self.key.get_algorithm()
            return [algorithms for kind, algorithms in KINDS.items() if own.startswith(kind)]
        return list(KINDS.values()) if self.fingerprint else [sum(KINDS.values(), ())]


def trust_of(remote: Remote) -> Trust:
    """The option `host_key`: a public key as OpenSSH writes it, a fingerprint, or TRUST_FIRST."""
    expected = remote.text("host_key").strip()
    if not expected:
        raise failure("no_host_key")
    if expected == TRUST_FIRST:
        return Trust()
    if FINGERPRINT.fullmatch(expected):
        return Trust(fingerprint=expected)
    try:
        return Trust(asyncssh.import_public_key(expected))
    except (asyncssh.KeyImportError, ValueError):
        raise failure("bad_option") from None


async def private_key_of(remote: Remote) -> asyncssh.SSHKey | None:
    """The option `private_key`, in a thread: a passphrase is meant to take long."""
    given = remote.secret("private_key")
    if not given:
        return None
    try:
        text = checked_key(given)
        return await asyncio.to_thread(asyncssh.import_private_key, text, remote.secret("passphrase") or None)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError, LookupError, RecursionError):
        raise failure("bad_option") from None


def checked_key(text: str) -> str:
    """A private key as PEM, written anew; ValueError if it is none, or would take too long to decrypt."""
    found = PEM.fullmatch(text.strip()) if len(text) <= LONGEST_KEY else None
    if not found:
        raise ValueError("no private key")
    kind, body = found.groups()
    if kind in OLD_KINDS:
        return found[0]
    raw = base64.b64decode("".join(body.split()), validate=True)
    if kind == "OPENSSH ":
        rounds, most = rounds_of(raw), MOST_ROUNDS
    else:
        rounds, most = max(numbers_in(der_decode_partial(raw)[0]), default=0) if kind else 0, MOST_ITERATIONS
    if rounds > most:
        raise ValueError("too slow to decrypt")
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{base64.b64encode(raw).decode()}\n-----END {kind}PRIVATE KEY-----\n"


def rounds_of(raw: bytes) -> int:
    """How often bcrypt goes round: after the magic word come cipher, KDF and its options, which end with it."""
    at = len(b"openssh-key-v1\0")
    value = b""
    for _ in range(3):
        size = int.from_bytes(raw[at : at + 4], "big")
        value, at = raw[at + 4 : at + 4 + size], at + 4 + size
    return int.from_bytes(value[-4:], "big")


def numbers_in(value: object) -> Iterator[int]:
    """Every number in decoded ASN.1; in an encrypted key the largest is the count of iterations."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, tuple | frozenset):
        for each in value:
            yield from numbers_in(each)
