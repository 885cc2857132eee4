"""SSH keys: the host key that a server must present, and the private key to log in with, read at a bounded cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import asyncssh

from app.transports.failed import REASONS, TransportFailed, bad_option, failure
from app.transports.key_cost import clean_private_key
from app.transports.options import FINGERPRINT, TRUST_FIRST
from app.transports.transport import Remote, TransferPolicy, time_limit

# Kinds of host keys and their algorithms, best first. Certificates are left out, because nobody here could check them,
# and so are signatures with SHA-1.
KINDS: dict[str, tuple[str, ...]] = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa": ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
KEY_SECONDS = 15  # to wait for a turn, and to decrypt a private key
LARGEST_RSA = 8_192  # bits; a signature takes 30 ms


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


async def load_private_key(remote: Remote, policy: TransferPolicy) -> asyncssh.SSHKey | None:
    """Reads the option `private_key`. Decrypting with a passphrase is slow on purpose: it has a thread of its own."""
    secret = remote.secret("private_key")
    if not secret:
        return None
    try:
        pem, slow = clean_private_key(secret)
        if slow:
            raise TransportFailed(REASONS["slow_key"].step, f"The private key {slow}", reason="slow_key")
        async with time_limit(KEY_SECONDS, "keys_wait"):
            return await policy.do_slowly(partial(import_private_key, pem, remote.secret("passphrase")))
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError, LookupError, RecursionError):
        raise bad_option("private_key", "passphrase") from None
    except ArithmeticError:  # asyncssh divides by the primes of an RSA key
        raise bad_option("private_key") from None


def import_private_key(pem: str, passphrase: str | None) -> asyncssh.SSHKey:
    """Raises what asyncssh raises, and ValueError.

    The numbers of an RSA key are not checked to be prime. That would freeze the process for 3 s with 8,192 bits and for
    half a minute with others, and a key that is wrong only fails to log in.
    """
    key = asyncssh.import_private_key(pem, passphrase or None, unsafe_skip_rsa_key_validation=True)
    if getattr(key.pyca_key, "key_size", 0) > LARGEST_RSA:
        raise ValueError("too large a key")
    return key
