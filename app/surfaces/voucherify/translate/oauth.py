"""Parses the forms of the OAuth endpoints, and renders tokens in Voucherify's shapes."""

from collections.abc import Mapping
from typing import Any

from app.auth.caller import EVERY_AREA
from app.auth.tokens import AccessToken
from app.errors import Refused, shorten_name
from app.surfaces.voucherify.wire import oauth as wire


def parse_scopes(fields: Mapping[str, str]) -> tuple[str, ...]:
    """The requested scopes, each once. Raises Refused("invalid")."""
    if fields.get("grant_type") != wire.GRANT:
        raise refuse("invalid_grant_type", "Invalid grant_type", f"Send `grant_type={wire.GRANT}`")
    scopes = tuple(dict.fromkeys(fields.get("scope", "").split())) or (EVERY_AREA,)
    if unknown := [each for each in scopes if each not in wire.SCOPES]:
        details = f"Separate scopes by spaces. The scopes are: {', '.join(wire.SCOPES)}"
        raise refuse("invalid_scope", f"Invalid scope: {shorten_name(' '.join(unknown))}", details)
    return scopes


def parse_token(fields: Mapping[str, str]) -> str:
    """Raises Refused("invalid")."""
    if "access_token" not in fields:
        raise refuse("missing_parameters", "Missing parameters", "Send the field `access_token`")
    return fields["access_token"]


def refuse(key: str, message: str, details: str) -> Refused:
    return Refused("invalid", details, facts={"key": key, "message": message})


def render_issued(token: AccessToken) -> wire.AccessToken:
    return wire.AccessToken(**token_members(token))


def render_introspected(token: AccessToken | None) -> wire.Introspection:
    return (
        wire.Introspection(active=False) if token is None else wire.Introspection(**token_members(token), active=True)
    )


def token_members(token: AccessToken) -> dict[str, Any]:
    return {
        "access_token": token.value,
        "client_id": token.key_id,
        "expires_at": int(token.expires_at.timestamp()),
        "expires_in": token.seconds_left,
        "scope": " ".join(token.scopes),
        "token_type": "Bearer",
    }
