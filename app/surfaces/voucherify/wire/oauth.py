"""Voucherify's access tokens: their scopes, the forms that ask for them, and what is answered."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field

from app.auth.caller import EVERY_AREA
from app.auth.tokens import TOKEN_SECONDS
from app.surfaces.voucherify.wire.shape import Shape
from app.web.bodies.form_body import MEDIA_TYPE
from app.web.openapi import KEY_PAIR, SECURITY_SCHEMES
from app.web.surface import Security

GRANT: Final = "client_credentials"

# Parts of the vendor's API that are called like their paths. A token may have the scope of any; most are not here.
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

# Every scope there is: its name -> what it allows.
SCOPES: Final[Mapping[str, str]] = {
    EVERY_AREA: "The whole server-side API, and the surfaces of other vendors too",
    "client_api": "The whole client-side API",
    **{name: f"All that is under /v1/{name}" for name in SERVER_SIDE},
    **{f"client_{name}": f"All that is under /client/v1/{name}" for name in CLIENT_SIDE},
}

SECURITY: Final = Security(
    {name: SECURITY_SCHEMES[name] for name in KEY_PAIR}
    | {
        "oauth": {
            "type": "oauth2",
            "description": f"An access token that lives for {TOKEN_SECONDS} seconds",
            "flows": {"clientCredentials": {"tokenUrl": "/v1/oauth/token", "scopes": dict(SCOPES)}},
        }
    },
    (KEY_PAIR, {"oauth": []}),
)


class AccessToken(Shape):
    access_token: str
    client_id: str = Field(description="The id of the key that the token stands for")
    expires_at: int = Field(description="In unix seconds", examples=[1738945086])
    expires_in: int = Field(description="Seconds that are left", examples=[TOKEN_SECONDS])
    scope: str = Field(description="Separated by blanks", examples=["customers async-actions"])
    token_type: Literal["Bearer"]


class Introspection(Shape):
    """The token when it is live, else `active` alone."""

    access_token: str = ""
    client_id: str = Field(default="", description="The id of the key that the token stands for")
    expires_at: int = Field(default=0, description="In unix seconds", examples=[1738945086])
    expires_in: int = Field(default=0, description="Seconds that are left", examples=[555])
    scope: str = Field(default="", description="Separated by blanks", examples=["customers async-actions"])
    token_type: Literal["Bearer"] = Field(default="Bearer")
    active: bool


def form(required: str, **properties: dict[str, Any]) -> dict[str, Any]:
    """A form as OpenAPI sees it, and that only the key itself may send it. FastAPI does not read it: the key is checked
    before."""
    # No field may come twice (RFC 6749, 3.2), whatever it is called: none is a list.
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
        "default": EVERY_AREA,
        "description": f"Separated by blanks. Of: {', '.join(SCOPES)}",
        "examples": ["customers async-actions"],
    },
)
ONE_TOKEN: Final = form(
    "access_token", access_token={"type": "string", "minLength": 1, "description": "As it was issued"}
)
NO_TOKEN: Final[dict[int | str, dict[str, Any]]] = {404: {"description": "There is no such live token; without a body"}}
