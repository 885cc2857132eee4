"""Seals credentials of other systems with the keys of this service, each bound to the database row it belongs to."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

# `cryptography` takes 9 MB, and most processes never seal anything, so it is loaded only when it is needed.

# Makes the key that is derived from the secret key different from keys derived for other purposes. It is part of the
# stored format.
KEY_PURPOSE: Final = b"sluice vault 1"
KEY_BYTES: Final = 32
CANNOT_OPEN: Final = "The text cannot be decrypted with the keys of this service"


class VaultError(Exception):
    """It cannot be opened. The reason stays secret: a wrong key, a wrong row and changed bytes look alike."""


class Vault:
    """Holds Fernet keys. The first one seals; any of them opens."""

    def __init__(self, keys: Sequence[str], *, secret_key: str | None = None) -> None:
        """The key that is derived from `secret_key` is the last one. Raises ValueError for a key that is not a Fernet
        key, without repeating it."""
        self._keys, self._secret_key = [validate_key(key) for key in keys], secret_key

    def seal(self, value: Mapping[str, Any], *, bound_to: str) -> bytes:
        """`value` must be JSON. `bound_to` names the row, as in "run:01a1fd…"; it is needed to open the text again."""
        return self._fernet.encrypt(json.dumps({"bound_to": bound_to, "value": value}).encode())

    def open(self, sealed: bytes, *, bound_to: str) -> dict[str, Any]:
        """Raises VaultError."""
        with translate_errors():
            content = json.loads(self._fernet.decrypt(sealed))
        if content["bound_to"] != bound_to:
            raise VaultError(CANNOT_OPEN)
        return dict(content["value"])

    def reseal(self, sealed: bytes) -> bytes:
        """The same content, sealed with the first key. Raises VaultError."""
        with translate_errors():
            return self._fernet.rotate(sealed)

    @cached_property
    def _fernet(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

        derived_keys = [] if self._secret_key is None else [derive_key(self._secret_key)]
        return MultiFernet([Fernet(key) for key in (*self._keys, *derived_keys)])


def build_vault(keys: str, secret_key: str) -> Vault:
    """A vault with `keys`, which are separated by commas, and always with a key derived from the secret key as the last
    one: it seals if there are no others, and opens what it sealed before there were others. Raises ValueError."""
    return Vault([each.strip() for each in keys.split(",") if each.strip()], secret_key=secret_key)


def validate_key(key: str) -> str:
    """The same check that Fernet does. Raises ValueError."""
    try:
        if len(base64.urlsafe_b64decode(key)) == KEY_BYTES:
            return key
    except ValueError:
        pass
    raise ValueError("a key must be 32 bytes in URL-safe base64") from None


def derive_key(secret_key: str) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    key = HKDF(SHA256(), length=KEY_BYTES, salt=None, info=KEY_PURPOSE).derive(secret_key.encode())
    return base64.urlsafe_b64encode(key).decode()


@contextmanager
def translate_errors() -> Iterator[None]:
    from cryptography.fernet import InvalidToken  # noqa: PLC0415

    try:
        yield
    except InvalidToken:
        raise VaultError(CANNOT_OPEN) from None
