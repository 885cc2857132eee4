"""Cordial's failures: one shape that readers of its older and its newer answers understand."""

from http import HTTPStatus
from typing import Any, Final

from pydantic import Field

from app.surfaces.cordial.wire.shape import CordialShape
from app.web.refusals import describe_refusal

MEANINGS: Final = {
    400: "The body cannot be read",
    401: "The key is missing, wrong or revoked",
    403: "The key lacks a scope; `message` names it",
    404: "The account has no such record or job",
    405: "The path exists, but not with this method",
    413: "The body or the file is too large",
    415: "The media type of the body is not supported",
    422: "Something in the request is wrong, or the source cannot be reached (STORAGE_CONNECTION_ERROR)",
    429: "The key has used up its requests for now, or too many imports of the account are queued or running",
    500: "Something went wrong on our side. The log has the details under the id of the request",
    503: "Part of the service is not available. Try again",
}


class Messages(CordialShape):
    validationErrors: dict[str, list[str]] = Field(
        description="For each field, what is wrong with it",
        examples=[{"source.url": ["The source.url field is required."]}],
    )


class ErrorMessage(CordialShape):
    """Why a request was refused."""

    error: bool = Field(description="Always true")
    errorKey: str = Field(description="What is wrong, for programs", examples=["VALIDATION_ERROR"])
    message: str = Field(description="What is wrong, for people")
    messages: Messages = Field(default=Messages(validationErrors={}), description="With status 422")


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for its OpenAPI description."""
    return {
        status: describe_refusal(ErrorMessage, MEANINGS.get(status, HTTPStatus(status).phrase)) for status in statuses
    }
