"""Keeps the credentials of others: sealed with keys of the service, each bound to the row that it belongs to."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# What the secret key is used for here, so that it gives another key than for anything else. Part of the stored format.
DERIVED_FOR: Final = b"sluice vault 1"
LOCKED: Final = "The sealed text cannot be opened with the keys of this service"


class VaultError(Exception):
    """It cannot be opened; what is wrong is not told: wrong key, wrong row and changed bytes look alike."""


class Vault:
    """Fernet keys, of which the first seals and each opens."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises ValueError, without a word of the key, for one that is no Fernet key."""
        try:
            self._keys = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ValueError("a key must be 32 bytes in base64, with - and _") from None

    def seal(self, value: Mapping[str, Any], *, bound_to: str) -> bytes:
        """`value` is JSON; `bound_to` names the row, as in "run:01a1fd…", and has to be given to open it again."""
        return self._keys.encrypt(json.dumps({"bound_to": bound_to, "value": value}).encode())

    def open(self, sealed: bytes, *, bound_to: str) -> dict[str, Any]:
        """Raises VaultError."""
        try:
            opened = json.loads(self._keys.decrypt(sealed))
        except InvalidToken:
            raise VaultError(LOCKED) from None
        if opened["bound_to"] != bound_to:
            raise VaultError(LOCKED)
        return dict(opened["value"])

    def reseal(self, sealed: bytes) -> bytes:
        """The same under the first key. Raises VaultError."""
        try:
            return self._keys.rotate(sealed)
        except InvalidToken:
            raise VaultError(LOCKED) from None


def vault_of(keys: str, secret_key: str) -> Vault:
    """The vault of `keys`, separated by commas. A key that comes from the secret key is always the last: it seals where
    no others are given, and where they came later what it sealed still opens. Raises ValueError."""
    return Vault([*(each.strip() for each in keys.split(",") if each.strip()), derived(secret_key)])


def derived(secret_key: str) -> str:
    made = HKDF(SHA256(), length=32, salt=None, info=DERIVED_FOR).derive(secret_key.encode())
    return base64.urlsafe_b64encode(made).decode()
