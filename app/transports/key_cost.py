"""Private keys as callers send them: cleaned, and refused if decrypting them would take too long.

A key that is protected by a passphrase says in its header how often the passphrase is hashed, and whoever sends it
chose that number. It is read here before anything is hashed.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

LONGEST_KEY: Final = 8_192  # characters; RSA with 8,192 bits has 6,400
MOST_ROUNDS: Final = 128  # of bcrypt, 7 to 25 ms each; ssh-keygen's defaults are 16 and 24, and many choose 100
MOST_ITERATIONS: Final = 600_000  # of PBKDF2, half a second; OpenSSL's default is 2,048
# The other numbers in the header are the length of the key that is derived, in bytes, and the version of RC2.
HIGHEST_PARAMETER: Final = 256
OLD_KINDS: Final = frozenset({"RSA ", "EC ", "DSA "})  # their passphrase is hashed only once
MAGIC: Final = b"openssh-key-v1\0"
INTEGER, CONSTRUCTED, LONG_TAG = 0x02, 0x20, 0x1F

PEM = re.compile(r"-----BEGIN ((?:[A-Z]+ )?)PRIVATE KEY-----((?:(?!-----).)+)-----END \1PRIVATE KEY-----", re.DOTALL)


class CleanKey(NamedTuple):
    """A private key as clean PEM. `slow` says why it would take too long to decrypt, or is empty."""

    pem: str
    slow: str


def find_pem(text: str) -> re.Match[str] | None:
    """The kind of the key, such as "OPENSSH ", and its body."""
    return PEM.fullmatch(text.strip()) if len(text) <= LONGEST_KEY else None


def clean_private_key(text: str) -> CleanKey:
    """Raises ValueError if the text is not a private key."""
    found = find_pem(text)
    if not found:
        raise ValueError("not a private key")
    kind, body = found.groups()
    if kind in OLD_KINDS:
        return CleanKey(found[0], "")
    try:
        raw = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        raise ValueError("not a private key") from None
    pem = f"-----BEGIN {kind}PRIVATE KEY-----\n{base64.b64encode(raw).decode()}\n-----END {kind}PRIVATE KEY-----\n"
    return CleanKey(pem, explain_slowness(kind, raw))


def explain_slowness(kind: str, raw: bytes) -> str:
    """What goes on from the name of the key. Raises ValueError."""
    if kind == "OPENSSH ":
        rounds, unit, most = read_bcrypt_rounds(raw), "rounds of bcrypt", MOST_ROUNDS
    elif kind:
        rounds, unit, most = read_iterations(raw), "iterations", MOST_ITERATIONS
    else:
        return ""
    if rounds <= most:
        return ""
    return (
        f"would take too long to decrypt: its passphrase is hashed with {rounds:,} {unit}, and at most {most:,} are "
        "allowed. Encrypt the key again with fewer, as `ssh-keygen -p -a 16` does"
    )


def read_bcrypt_rounds(raw: bytes) -> int:
    """The rounds of bcrypt: the magic word is followed by cipher, KDF and its options, which end with this number."""
    at = len(MAGIC)
    value = b""
    for _ in range(3):
        size = int.from_bytes(raw[at : at + 4], "big")
        value, at = raw[at + 4 : at + 4 + size], at + 4 + size
    return int.from_bytes(value[-4:], "big")


def read_iterations(der: bytes) -> int:
    """The iteration count of an encrypted PKCS#8 key, which is its largest number. Raises ValueError."""
    *others, iterations = sorted(read_integers(der)) or [0]
    if others and others[-1] > HIGHEST_PARAMETER:
        raise ValueError("two large numbers, whose product is the cost")
    return iterations


def read_integers(der: bytes) -> Iterator[int]:
    """Every number in DER. Raises ValueError for what is not DER."""
    pieces = [der]
    while pieces:
        rest = pieces.pop()
        while rest:
            tag, content, rest = split_value(rest)
            if tag & CONSTRUCTED:
                pieces.append(content)
            elif tag == INTEGER:
                yield int.from_bytes(content, "big", signed=True)


def split_value(der: bytes) -> tuple[int, bytes, bytes]:
    """The tag and content of the first value, and what follows it. Raises ValueError."""
    tag, size, at = der[0], der[1] if len(der) > 1 else 0, 2
    if size > 0x80:
        at += size - 0x80
        size = int.from_bytes(der[2:at], "big")
    elif size == 0x80:
        raise ValueError("a length that is not given")
    if tag & LONG_TAG == LONG_TAG or at + size > len(der):
        raise ValueError("not DER")
    return tag, der[at : at + size], der[at + size :]
