"""Shapes of API keys."""

from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from app.auth.account_keys import LONGEST_LABEL, MOST_DAYS
from app.auth.keys import SCOPES
from app.surfaces.native.wire.shape import Links
from app.web.declared.shape import SentShape, json_body
from app.web.shapes import UNSET_TIME, Shape, Timestamp

ScopeName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(SCOPES)})]


class ApiKeyBody(SentShape):
    label: str = Field(
        min_length=1, max_length=LONGEST_LABEL, description="What the key is for: the script or service that uses it"
    )
    scopes: list[ScopeName] = Field(
        min_length=1, max_length=100, description="What the key may do. You can give only scopes that you have"
    )
    expires_in_days: int | None = Field(
        default=None, ge=1, le=MOST_DAYS, description="After how many days the key ends by itself. Default: never"
    )


class ApiKey(Shape):
    """A key without its secret."""

    id: str = Field(examples=["sluice_0ad7b23f4cf0cff0"])
    label: str
    scopes: list[str]
    created_by: str = Field(default="", description="The key or the person that made it. Absent for the operator")
    created_at: Timestamp
    last_used_at: Timestamp = Field(default=UNSET_TIME, description="To the minute. Absent if it was never used")
    expires_at: Timestamp = Field(default=UNSET_TIME, description="Absent if it does not expire")


class NewApiKey(ApiKey):
    """A key with its secret, which is shown only in this answer."""

    key: str = Field(
        description="`id:secret`, to be sent as `Authorization: apiKey id:secret`",
        examples=["sluice_0ad7b23f4cf0cff0:secret"],
    )


class ApiKeyList(Shape):
    """The oldest comes first. Revoked keys are left out."""

    links: Links
    results: list[ApiKey]


API_KEY_BODY: Final = json_body(ApiKeyBody, {"label": "nightly import", "scopes": ["imports:write", "imports:read"]})
