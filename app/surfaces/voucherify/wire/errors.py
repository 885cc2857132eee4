"""Voucherify's failures: one shape for a body that is too large, and one for all others."""

from http import HTTPStatus
from typing import Any, Final

from pydantic import Field

from app.surfaces.voucherify.wire.shape import VoucherifyShape
from app.web.refusals import describe_refusal

MEANINGS: Final = {
    400: "The request cannot be read, or something in it is wrong",
    401: "The key is missing, wrong or revoked, or the access token is not active",
    403: "The key or the access token lacks a scope. `details` names it",
    404: "The account has no such customer or action",
    405: "The path exists, but not with this method",
    413: "The body is too large",
    415: "The media type of the body is not supported",
    429: "The key has used up its requests for now, or too many imports of the account are queued or running",
    500: "Something went wrong on our side. The log has the details under the id of the request",
    503: "Part of the service is not available. Try again",
}


class Error(VoucherifyShape):
    """Why a request was refused."""

    code: int = Field(description="The HTTP status", examples=[400])
    message: str = Field(description="What is wrong, for people", examples=["Invalid payload"])
    key: str = Field(default="", description="What is wrong, for programs", examples=["invalid_payload"])
    details: str = Field(default="", description="More about it, for people")
    request_id: str = Field(
        description="The id of the request. The log has it without `v-`", examples=["v-0a885062c80375740f"]
    )
    resource_id: str = Field(default="", description="The id of the object in question, if there is one")
    resource_type: str = Field(default="", description="The kind of that object", examples=["customer"])


class TooLarge(VoucherifyShape):
    """Why a body was refused before all of it was read."""

    statusCode: int = Field(examples=[413])
    error: str = Field(examples=["Request Entity Too Large"])
    message: str


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for its OpenAPI description."""
    return {
        status: describe_refusal(TooLarge if status == 413 else Error, MEANINGS.get(status, HTTPStatus(status).phrase))
        for status in statuses
    }
