"""What went wrong with a request, and its shape as a problem document (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec
from fastapi import Request
from fastapi.responses import Response

from app.errors import REFUSALS, Complaint, Refused

# What is nobody's refusal: a fault of ours.
INTERNAL_ERROR = "internal_error"
TITLES: Mapping[str, str] = REFUSALS | {INTERNAL_ERROR: "Something broke on our side"}
# Without Basic, although it is accepted: a browser would ask for a password.
CHALLENGE = 'apiKey realm="sluice", Bearer realm="sluice"'


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that gets no answer but a reason. `code` is a key of TITLES."""

    code: str
    detail: str
    complaints: tuple[Complaint, ...] = ()
    retry_after: int | None = None  # seconds
    headers: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)  # what a surface may say besides


@dataclass(frozen=True, slots=True)
class ProblemShape:
    """How a surface puts a failure: its status, and its own words for code and title where it has any."""

    status: int
    code: str
    title: str
    media_type: str


def failure_from(refused: Refused) -> Failure:
    return Failure(refused.code, refused.detail, refused.complaints, refused.retry_after, facts=refused.facts)


def render_problem(failure: Failure, request: Request, said: ProblemShape) -> Response:
    """The answer: RFC 9457's members, our `code`, and every single complaint."""
    complaints = [{"path": each.path, "reason": each.reason} for each in failure.complaints]
    body: dict[str, object] = {
        "type": f"urn:sluice:problem:{failure.code}",
        "title": said.title,
        "status": said.status,
        "detail": failure.detail,
        "instance": quote(request.scope["path"], safe="/@:"),
        "code": said.code,
        "errors": complaints,
    }
    if said.status == 422:
        body["validationErrors"] = complaints
    headers = dict(failure.headers)
    if failure.retry_after is not None:
        headers["Retry-After"] = str(failure.retry_after)
    if said.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    return Response(msgspec.json.encode(body), said.status, headers, said.media_type)
