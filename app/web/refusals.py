"""Documents the error responses of a route in OpenAPI."""

from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from app.web.shapes import ProblemDocument

DESCRIPTIONS = {
    400: "The request cannot be read, or too many imports are waiting, running or halted",
    401: "The API key is missing or wrong",
    403: "The API key does not have the required scope, or the account has reached a quota",
    404: "Not found in this account",
    409: "The current state does not allow it",
    410: "Deleted at the end of its retention period",
    412: "The record is not the one that `If-Match` names any more",
    413: "The file or body is too large",
    415: "The media type of the body is not supported",
    422: "The request is not valid; `errors` lists everything that is wrong",
    429: "The rate limit is reached, or too many imports are waiting; `Retry-After` says when to try again",
    503: "The service is temporarily unavailable; try again",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route that requires a key; 429 is always among them."""
    return {
        status: describe_refusal(ProblemDocument, DESCRIPTIONS.get(status, HTTPStatus(status).phrase))
        for status in sorted({*statuses, 429})
    }


def describe_refusal(shape: type[BaseModel], description: str) -> dict[str, Any]:
    """An error response of a route. It has the schema and not the `model`: for each of those FastAPI builds a validator
    that nothing ever calls, up to three times, which took 14 MB of an API process."""
    return {"description": description, "content": {"application/json": {"schema": build_schema(shape)}}}


@cache
def build_schema(shape: type[BaseModel]) -> dict[str, Any]:
    """The schema of a shape, with those that it refers to in `$defs`. It must not be changed."""
    return shape.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
