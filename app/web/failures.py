"""Failed requests, and their rendering as problem documents (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import msgspec
from fastapi import Request
from fastapi.responses import Response

from app.errors import REFUSALS, Complaint, Refused

# The code of a bug of ours, which is not a refusal.
INTERNAL_ERROR = "internal_error"
TITLES: Mapping[str, str] = REFUSALS | {INTERNAL_ERROR: "Internal error"}
MOST_COMPLAINTS: Final = 500  # in an answer: small requests can have a hundred thousand mistakes
# Basic is accepted but not offered: a browser would ask for a password.
CHALLENGE = 'apiKey realm="sluice", Bearer realm="sluice"'


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that failed, and why. `code` is a key of TITLES."""

    code: str
    detail: str
    complaints: tuple[Complaint, ...] = ()
    retry_after: int | None = None  # seconds
    headers: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)  # what single surfaces add to their response


@dataclass(frozen=True, slots=True)
class ProblemShape:
    """How a surface presents a failure: status, code, title and media type."""

    status: int
    code: str
    title: str
    media_type: str


def failure_from(refused: Refused) -> Failure:
    complaints = refused.complaints[:MOST_COMPLAINTS]
    if more := len(refused.complaints) - len(complaints):
        complaints += (Complaint("", f"There are {more:,} more mistakes, which are not listed"),)
    return Failure(
        refused.code,
        refused.detail,
        complaints,
        refused.retry_after,
        headers=refused.headers,
        facts=refused.facts,
    )


def render_problem(failure: Failure, request: Request, shape: ProblemShape) -> Response:
    """The response: the members of RFC 9457, our `code`, and all complaints."""
    complaints = [{"path": each.path, "reason": each.reason} for each in failure.complaints]
    body: dict[str, object] = {
        "type": f"urn:sluice:problem:{failure.code}",
        "title": shape.title,
        "status": shape.status,
        "detail": failure.detail,
        "instance": quote(request.scope["path"], safe="/@:"),
        "code": shape.code,
        "errors": complaints,
    }
    if shape.status == 422:
        body["validationErrors"] = complaints
    headers = dict(failure.headers)
    if failure.retry_after is not None:
        headers["Retry-After"] = str(failure.retry_after)
    if shape.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    return Response(msgspec.json.encode(body), shape.status, headers, shape.media_type)
