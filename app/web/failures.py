"""Failed requests, and their rendering as problem documents (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import msgspec
from fastapi import Request
from fastapi.responses import Response

from app.errors import REFUSALS, Complaint, Members, Refused
from app.web.server.connections import CALLER

# The code of a bug of ours, which is not a refusal.
INTERNAL_ERROR = "internal_error"
TITLES: Mapping[str, str] = REFUSALS | {INTERNAL_ERROR: "Internal error"}
# The HTTP status of every refusal, in our own API and on pages. Vendors have tables of their own.
STATUSES: Final[Mapping[str, int]] = {
    "bad_request": 400,
    "not_authenticated": 401,
    "not_allowed": 403,
    "quota_reached": 403,
    "account_suspended": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "import_not_ended": 409,
    "export_not_ended": 409,
    "sync_not_ended": 409,
    "not_held": 409,
    "already_ended": 409,
    "not_planned": 409,
    "not_undoable": 409,
    "plan_changed": 409,
    "nothing_to_retry": 409,
    "idempotency_key_in_use": 409,
    "same_file": 409,
    "type_in_use": 409,
    "type_needed": 409,
    "name_taken": 409,
    "being_deleted": 409,
    "last_admin": 409,
    "belongs_elsewhere": 409,
    "secrets_locked": 409,
    "gone": 410,
    "record_changed": 412,
    "too_large": 413,
    "unsupported_media_type": 415,
    "idempotency_key_reused": 422,
    "empty_file": 422,
    "unreadable_file": 422,
    "invalid": 422,
    "queue_full": 429,
    "too_many_requests": 429,
    "too_many_reads": 429,
    INTERNAL_ERROR: 500,
    "not_ready": 503,
}
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
    members: Members | None = None  # what ours add to the problem document


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
        members=refused.members,
    )


def render_problem(failure: Failure, request: Request, shape: ProblemShape) -> Response:
    """The response: the members of RFC 9457, our `code`, and all complaints."""
    complaints = [
        {"path": each.path, "reason": each.reason} | ({"fix": each.fix} if each.fix else {})
        for each in failure.complaints
    ]
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
    if failure.members is not None and CALLER in request.scope:
        body |= failure.members.values if request.scope[CALLER].has_scope(failure.members.scope) else {}
    headers = dict(failure.headers)
    if failure.retry_after is not None:
        headers["Retry-After"] = str(failure.retry_after)
    if shape.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    return Response(msgspec.json.encode(body), shape.status, headers, shape.media_type)
