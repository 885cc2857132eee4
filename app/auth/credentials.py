"""Reads a key or an access token out of a request's headers, in every form that clients send one."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key as it was read_credentials, right or wrong."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """An access token as it was read_credentials, live or not."""

    value: str = field(repr=False)


Credentials = PresentedKey | PresentedToken


def read_credentials(headers: Mapping[str, str]) -> Credentials | None:
    """The key in `Authorization` (apiKey, Bearer or Basic, in any case), else in `X-App-Id` and `X-App-Token`. None
    when there is none of the form `id:secret`; what has no colon after Bearer is an access token."""
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    if scheme:
        read = SCHEMES.get(scheme.lower())
        return read(value.strip()) if read else None
    if "x-app-id" in headers and "x-app-token" in headers:
        return PresentedKey(headers["x-app-id"].strip(), headers["x-app-token"].strip())
    return None


def plain(value: str) -> PresentedKey | None:
    key_id, colon, secret = value.partition(":")
    return PresentedKey(key_id, secret) if colon and key_id and secret else None


def bearer(value: str) -> Credentials | None:
    return PresentedToken(value) if value and ":" not in value else plain(value)


def basic(value: str) -> PresentedKey | None:
    """`id:secret` is user and password; a client that has the whole key as its user name adds a colon to it."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return plain(text.removesuffix(":"))


SCHEMES: Mapping[str, Callable[[str], Credentials | None]] = {"apikey": plain, "bearer": bearer, "basic": basic}
