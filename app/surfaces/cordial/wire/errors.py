"""Cordial's failures: one shape that all readers of its older and newer answers understand."""

from http import HTTPStatus
from typing import Any, Final

from pydantic import Field

from app.surfaces.cordial.wire.shape import Shape

MEANINGS: Final = {
    400: "The body cannot be read",
    401: "The key is missing, wrong or revoked",
    403: "The key lacks a scope; `message` names it",
    404: "There is no such thing in this account",
    405: "The path exists, but not with this method",
    413: "The body or the file is too large",
    415: "The body has another media type than the ones that are documented",
    422: "Something in the request is wrong, or the source cannot be reached (STORAGE_CONNECTION_ERROR)",
    429: "The key has used up its requests for now, or too many imports of the account wait",
    500: "Something broke on our side; the log has it under the request's id",
    503: "A part of the service is not available; try again",
}


class Messages(Shape):
    validationErrors: dict[str, list[str]] = Field(
        description="Field -> what is wrong with it",
        examples=[{"source.url": ["The source.url field is required."]}],
    )


class Error(Shape):
    """Why a request was refused."""

    error: bool = Field(description="Always true")
    errorKey: str = Field(description="What is wrong, for programs", examples=["VALIDATION_ERROR"])
    message: str = Field(description="What is wrong, for people")
    messages: Messages = Field(default=Messages(validationErrors={}), description="With status 422")


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The failures of a route, for its OpenAPI description."""
    return {
        status: {"model": Error, "description": MEANINGS.get(status, HTTPStatus(status).phrase)} for status in statuses
    }
