"""Keeps the credentials of others: sealed with keys of the service, each bound to the row that it belongs to."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

# `cryptography` takes 9 MB, and most processes never seal anything: it is loaded by the first who does.

# What the secret key is used for here, so that it gives another key than for anything else. Part of the stored format.
DERIVED_FOR: Final = b"sluice vault 1"
KEY_BYTES: Final = 32
LOCKED: Final = "The sealed text cannot be opened with the keys of this service"


class VaultError(Exception):
    """It cannot be opened; what is wrong is not told: wrong key, wrong row and changed bytes look alike."""


class Vault:
    """Fernet keys, of which the first seals and each opens."""

    def __init__(self, keys: Sequence[str], *, secret_key: str | None = None) -> None:
        """A key that comes from the secret key is the last. Raises ValueError, without a word of the key, for one that
        is no Fernet key."""
        self._given, self._secret_key = [checked(key) for key in keys], secret_key

    def seal(self, value: Mapping[str, Any], *, bound_to: str) -> bytes:
        """`value` is JSON; `bound_to` names the row, as in "run:01a1fd…", and has to be given to open it again."""
        return self._keys.encrypt(json.dumps({"bound_to": bound_to, "value": value}).encode())

    def open(self, sealed: bytes, *, bound_to: str) -> dict[str, Any]:
        """Raises VaultError."""
        with locked():
            opened = json.loads(self._keys.decrypt(sealed))
        if opened["bound_to"] != bound_to:
            raise VaultError(LOCKED)
        return dict(opened["value"])

    def reseal(self, sealed: bytes) -> bytes:
        """The same under the first key. Raises VaultError."""
        with locked():
            return self._keys.rotate(sealed)

    @cached_property
    def _keys(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

        keys = [*self._given, *([] if self._secret_key is None else [derived(self._secret_key)])]
        return MultiFernet([Fernet(key) for key in keys])


def build_vault(keys: str, secret_key: str) -> Vault:
    """The vault of `keys`, separated by commas. A key that comes from the secret key is always the last: it seals where
    no others are given, and where they came later what it sealed still opens. Raises ValueError."""
    return Vault([each.strip() for each in keys.split(",") if each.strip()], secret_key=secret_key)


def checked(key: str) -> str:
    """As Fernet itself checks it."""
    try:
        if len(base64.urlsafe_b64decode(key)) == KEY_BYTES:
            return key
    except ValueError:
        pass
    raise ValueError("a key must be 32 bytes in base64, with - and _") from None


def derived(secret_key: str) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    made = HKDF(SHA256(), length=KEY_BYTES, salt=None, info=DERIVED_FOR).derive(secret_key.encode())
    return base64.urlsafe_b64encode(made).decode()


@contextmanager
def locked() -> Iterator[None]:
    from cryptography.fernet import InvalidToken  # noqa: PLC0415

    try:
        yield
    except InvalidToken:
        raise VaultError(LOCKED) from None
