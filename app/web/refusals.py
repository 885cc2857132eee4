"""The failures of a route, for its OpenAPI description."""

from http import HTTPStatus
from typing import Any

from app.web.shapes import ProblemDocument

DESCRIPTIONS = {
    400: "The request cannot be read, or too many imports wait",
    401: "The API key is missing or wrong",
    403: "The API key lacks a scope",
    404: "There is no such thing in this account",
    409: "The state of things does not allow it",
    410: "It was kept for its retention time and then deleted",
    413: "The file is too large",
    415: "The body has a media type that is not taken here",
    422: "Something in the request is wrong; `errors` lists everything",
    429: "The key has used up its requests for now, or too many imports wait; `Retry-After` says when to go on",
    503: "A part of the service is not available; try again",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Of a route that needs a key: 429 goes without saying."""
    return {
        status: {"model": ProblemDocument, "description": DESCRIPTIONS.get(status, HTTPStatus(status).phrase)}
        for status in sorted({*statuses, 429})
    }
