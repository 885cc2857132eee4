"""Renders a failure in Cordial's shape."""

from collections.abc import Sequence

import msgspec
from fastapi import Request
from fastapi.responses import Response

from app.errors import Complaint
from app.surfaces.cordial.vocabulary import ANSWERS, BROKEN_FORM
from app.web.bodies.multipart import is_form
from app.web.failures import CHALLENGE, Failure


def render_failure(failure: Failure, request: Request) -> Response:
    answer = BROKEN_FORM if failure.code == "bad_request" and is_form(request) else ANSWERS[failure.code]
    body: dict[str, object] = {
        "error": True,
        "errorKey": failure.facts.get("errorKey", answer.key),
        "message": answer.message or failure.detail,
    }
    if answer.status == 422:
        body["messages"] = {"validationErrors": group_by_field(failure.complaints)}
    headers = dict(failure.headers)
    if failure.retry_after is not None:
        headers["Retry-After"] = str(failure.retry_after)
    if answer.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    return Response(msgspec.json.encode(body), answer.status, headers, "application/json")


def group_by_field(complaints: Sequence[Complaint]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for each in complaints:
        reasons.setdefault(each.path or "body", []).append(each.reason)
    return reasons
