"""The forms of the OAuth endpoints into what they ask for, and tokens into Voucherify's shapes."""

from collections.abc import Mapping
from typing import Any

from app.auth.caller import EVERY_AREA
from app.auth.tokens import AccessToken
from app.errors import Refused
from app.surfaces.voucherify.wire import oauth as wire
from app.web.surface import shorten


def scopes_asked(fields: Mapping[str, str]) -> tuple[str, ...]:
    """The scopes of a token that is asked for, each once. Raises Refused("invalid")."""
    if fields.get("grant_type") != wire.GRANT:
        raise wrong("invalid_grant_type", "Invalid grant_type", f"Send grant_type={wire.GRANT}")
    asked = tuple(dict.fromkeys(fields.get("scope", "").split())) or (EVERY_AREA,)
    if unknown := [each for each in asked if each not in wire.SCOPES]:
        told = f"Separate scopes by blanks. There are: {', '.join(wire.SCOPES)}"
        raise wrong("invalid_scope", f"Invalid scope: {shorten(' '.join(unknown))}", told)
    return asked


def token_named(fields: Mapping[str, str]) -> str:
    """Raises Refused("invalid")."""
    if "access_token" not in fields:
        raise wrong("missing_parameters", "Missing parameters", "Send the field access_token")
    return fields["access_token"]


def wrong(key: str, message: str, details: str) -> Refused:
    return Refused("invalid", details, facts={"key": key, "message": message})


def issued(token: AccessToken) -> wire.AccessToken:
    return wire.AccessToken(**members(token))


def introspected(token: AccessToken | None) -> wire.Introspection:
    return wire.Introspection(active=False) if token is None else wire.Introspection(**members(token), active=True)


def members(token: AccessToken) -> dict[str, Any]:
    return {
        "access_token": token.value,
        "client_id": token.key_id,
        "expires_at": int(token.expires_at.timestamp()),
        "expires_in": token.seconds_left,
        "scope": " ".join(token.scopes),
        "token_type": "Bearer",
    }
