"""Voucherify's access tokens: their scopes, the forms that request them, and the answers."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field

from app.auth.caller import EVERY_AREA
from app.auth.tokens import TOKEN_SECONDS
from app.surfaces.voucherify.wire.shape import VoucherifyShape
from app.web.bodies.form_body import MEDIA_TYPE
from app.web.openapi import KEY_PAIR, SECURITY_SCHEMES
from app.web.surface import Security

GRANT: Final = "client_credentials"

# Parts of the vendor's API, named like their paths. A token may have the scope of any; most are not served here.
SERVER_SIDE: Final = (
    "assets", "async-actions", "campaigns", "categories", "consents", "customers", "events", "exports", "locations",
    "loyalties", "metadata-schemas", "orders", "product-collections", "products", "promotions", "publications",
    "qualifications", "redemptions", "referrals", "rewards", "segments", "skus", "task-results", "templates",
    "trash-bin", "validation-rules", "validation-rules-assignments", "validations", "vouchers",
)  # fmt: skip
CLIENT_SIDE: Final = (
    "consents", "customers", "events", "promotions", "publish", "qualifications", "redeem", "redemptions", "validate",
    "validations", "vouchers",
)  # fmt: skip

# Every scope, and what it allows.
SCOPES: Final[Mapping[str, str]] = {
    EVERY_AREA: "The whole server-side API, and the APIs of the other vendors",
    "client_api": "The whole client-side API",
    **{name: f"Everything under /v1/{name}" for name in SERVER_SIDE},
    **{f"client_{name}": f"Everything under /client/v1/{name}" for name in CLIENT_SIDE},
}

SECURITY: Final = Security(
    {name: SECURITY_SCHEMES[name] for name in KEY_PAIR}
    | {
        "oauth": {
            "type": "oauth2",
            "description": f"An access token, valid for {TOKEN_SECONDS} seconds",
            "flows": {"clientCredentials": {"tokenUrl": "/v1/oauth/token", "scopes": dict(SCOPES)}},
        }
    },
    # First the one that takes a key as well, for clients that are given the key alone.
    ({"oauth": []}, KEY_PAIR),
)


class AccessToken(VoucherifyShape):
    access_token: str
    client_id: str = Field(description="The id of the key that the token stands for")
    expires_at: int = Field(description="A unix time in seconds", examples=[1738945086])
    expires_in: int = Field(description="How many seconds are left", examples=[TOKEN_SECONDS])
    scope: str = Field(description="Separated by spaces", examples=["customers async-actions"])
    token_type: Literal["Bearer"]


class Introspection(VoucherifyShape):
    """The token if it is active, otherwise `active` alone."""

    access_token: str = ""
    client_id: str = Field(default="", description="The id of the key that the token stands for")
    expires_at: int = Field(default=0, description="A unix time in seconds", examples=[1738945086])
    expires_in: int = Field(default=0, description="How many seconds are left", examples=[555])
    scope: str = Field(default="", description="Separated by spaces", examples=["customers async-actions"])
    token_type: Literal["Bearer"] = Field(default="Bearer")
    active: bool


def form(required: str, **properties: dict[str, Any]) -> dict[str, Any]:
    """A form for OpenAPI, which only the key itself may send. FastAPI does not read it, because the key is checked
    first."""
    # No field may be sent twice (RFC 6749, 3.2), whatever its name: none is a list.
    schema = {
        "type": "object",
        "required": [required],
        "properties": properties,
        "additionalProperties": {"type": "string"},
    }
    return {"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": schema}}}, "security": [KEY_PAIR]}


TOKEN_FORM: Final = form(
    "grant_type",
    grant_type={"type": "string", "enum": [GRANT]},
    scope={
        "type": "string",
        "description": f"Separated by spaces. `{EVERY_AREA}` if it is not sent. The scopes are: {', '.join(SCOPES)}",
        "examples": ["customers async-actions"],
    },
)
ONE_TOKEN: Final = form(
    "access_token", access_token={"type": "string", "minLength": 1, "description": "The token as it was issued"}
)
NO_TOKEN: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "There is no such active token. The answer has no body"}
}
