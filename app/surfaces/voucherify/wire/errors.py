"""Voucherify's failures: one shape for all, and another for a body that is too large."""

from http import HTTPStatus
from typing import Any, Final

from pydantic import Field

from app.surfaces.voucherify.wire.shape import Shape

MEANINGS: Final = {
    400: "The request cannot be read, or something in it is wrong",
    401: "The key is missing, wrong or revoked, or the access token is not live",
    403: "The key or the access token lacks a scope; `details` names it",
    404: "There is no such thing in this account",
    405: "The path exists, but not with this method",
    413: "The body is too large",
    415: "The body has another media type than the one that is documented",
    429: "The key has used up its requests for now, or too many imports of the account wait",
    500: "Something broke on our side; the log has it under the request's id",
    503: "A part of the service is not available; try again",
}


class Error(Shape):
    """Why a request was refused."""

    code: int = Field(description="The status", examples=[400])
    message: str = Field(description="What is wrong, for people", examples=["Invalid payload"])
    key: str = Field(default="", description="What is wrong, for programs", examples=["invalid_payload"])
    details: str = Field(default="", description="More about it, for people")
    request_id: str = Field(
        description="The request's id, as the log has it after `v-`", examples=["v-0a885062c80375740f"]
    )
    resource_id: str = Field(default="", description="The thing that is meant, where there is one")
    resource_type: str = Field(default="", description="What kind of thing that is", examples=["customer"])


class TooLarge(Shape):
    """Why a body was refused before its end."""

    statusCode: int = Field(examples=[413])
    error: str = Field(examples=["Request Entity Too Large"])
    message: str


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The failures of a route, for its OpenAPI description."""
    return {
        status: {
            "model": TooLarge if status == 413 else Error,
            "description": MEANINGS.get(status, HTTPStatus(status).phrase),
        }
        for status in statuses
    }
