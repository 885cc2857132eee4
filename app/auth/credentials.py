"""Reads a key or an access token out of a request's headers, in every form that clients send one."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key as it was presented, right or wrong."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """An access token as it was presented, live or not."""

    value: str = field(repr=False)


Presented = Credentials | BearerToken


def presented(headers: Mapping[str, str]) -> Presented | None:
    """The key in `Authorization` (apiKey, Bearer or Basic, in any case), else in `X-App-Id` and `X-App-Token`. None
    when there is none of the form `id:secret`; what has no colon after Bearer is an access token."""
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    if scheme:
        read = SCHEMES.get(scheme.lower())
        return read(value.strip()) if read else None
    if "x-app-id" in headers and "x-app-token" in headers:
        return Credentials(headers["x-app-id"].strip(), headers["x-app-token"].strip())
    return None


def plain(value: str) -> Credentials | None:
    key_id, colon, secret = value.partition(":")
    return Credentials(key_id, secret) if colon and key_id and secret else None


def bearer(value: str) -> Presented | None:
    return BearerToken(value) if value and ":" not in value else plain(value)


def basic(value: str) -> Credentials | None:
    """`id:secret` is user and password; a client that has the whole key as its user name adds a colon to it."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return plain(text.removesuffix(":"))


SCHEMES: Mapping[str, Callable[[str], Presented | None]] = {"apikey": plain, "bearer": bearer, "basic": basic}
