"""Reads the API key or access token from a request's headers, in every form in which clients send it."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """An API key as the client sent it, right or wrong."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """An access token as the client sent it, live or not."""

    value: str = field(repr=False)


Credentials = PresentedKey | PresentedToken


def read_credentials(headers: Mapping[str, str]) -> Credentials | None:
    """The key in `Authorization` (schemes apiKey, Bearer and Basic, in any case), else in `X-App-Id` and `X-App-Token`.
    After Bearer, a value without a colon is an access token. None if there is neither a token nor `id:secret`."""
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    if scheme:
        parse = SCHEMES.get(scheme.lower())
        return parse(value.strip()) if parse else None
    if "x-app-id" in headers and "x-app-token" in headers:
        return PresentedKey(headers["x-app-id"].strip(), headers["x-app-token"].strip())
    return None


def parse_key(value: str) -> PresentedKey | None:
    key_id, colon, secret = value.partition(":")
    return PresentedKey(key_id, secret) if colon and key_id and secret else None


def parse_bearer(value: str) -> Credentials | None:
    return PresentedToken(value) if value and ":" not in value else parse_key(value)


def parse_basic(value: str) -> PresentedKey | None:
    """User and password are the key's id and secret. A client that takes the whole key for a user name adds a colon."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return parse_key(text.removesuffix(":"))


SCHEMES: Mapping[str, Callable[[str], Credentials | None]] = {
    "apikey": parse_key,
    "bearer": parse_bearer,
    "basic": parse_basic,
}
