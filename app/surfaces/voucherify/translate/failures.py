"""Renders a failure in Voucherify's shapes: one for a body that is too large, and one for all others."""

import msgspec
from fastapi import Request
from fastapi.responses import Response

from app.surfaces.voucherify.vocabulary import ANSWERS, BAD_QUERY, VoucherifyError
from app.web.failures import CHALLENGE, Failure
from app.web.requests import request_id
from app.web.surface import allowed_methods

# Facts of a refusal that the answer repeats under the same names.
FACTS = ("key", "resource_id", "resource_type")


def render_failure(failure: Failure, request: Request) -> Response:
    answer = BAD_QUERY if failure.facts.get("in") == "query" else ANSWERS[failure.code]
    body = build_too_large(failure, answer) if answer.status == 413 else build_error(failure, answer, request)
    headers = dict(failure.headers)
    if failure.retry_after is not None:
        headers["Retry-After"] = str(failure.retry_after)
    if answer.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    return Response(msgspec.json.encode(body), answer.status, headers, "application/json")


def build_error(failure: Failure, answer: VoucherifyError, request: Request) -> dict[str, object]:
    """`code` is the status, `key` is for programs, and `details` is for people."""
    details = f"{request.method} is not supported by this endpoint. Did you mean {list_methods(request)}?"
    body = {
        "code": answer.status,
        "key": answer.key,
        "message": failure.facts.get("message", answer.message),
        "details": details if answer.status == 405 else failure.detail,
        "request_id": f"v-{request_id(request)}",
        **{name: failure.facts[name] for name in FACTS if name in failure.facts},
    }
    return {name: value for name, value in body.items() if value is not None}


def list_methods(request: Request) -> str:
    return " or ".join(each for each in allowed_methods(request) if each != "HEAD")


def build_too_large(failure: Failure, answer: VoucherifyError) -> dict[str, object]:
    """The only shape that differs from the others (413 of customers/bulk/async in the reference)."""
    return {"statusCode": answer.status, "error": answer.message, "message": failure.detail}
