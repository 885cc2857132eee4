"""Documents the error responses of a route in OpenAPI."""

from http import HTTPStatus
from typing import Any

from app.web.shapes import ProblemDocument

DESCRIPTIONS = {
    400: "The request cannot be read, or too many imports are waiting, running or halted",
    401: "The API key is missing or wrong",
    403: "The API key does not have the required scope",
    404: "Not found in this account",
    409: "The current state does not allow it",
    410: "Deleted at the end of its retention period",
    413: "The file or body is too large",
    415: "The media type of the body is not supported",
    422: "The request is not valid; `errors` lists everything that is wrong",
    429: "The rate limit is reached, or too many imports are waiting; `Retry-After` says when to try again",
    503: "The service is temporarily unavailable; try again",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route that requires a key; 429 is always among them."""
    return {
        status: {"model": ProblemDocument, "description": DESCRIPTIONS.get(status, HTTPStatus(status).phrase)}
        for status in sorted({*statuses, 429})
    }
