"""Voucherify's headers for a rate limit (its guide "Limits")."""

from app.throttle import Allowance


def build_rate_headers(left: Allowance) -> dict[str, str]:
    """`Retry` is a unix time in seconds, unlike `Retry-After`. `Type` is present once nothing is left."""
    headers = {
        "X-Rate-Limit-Limit": str(left.limit),
        "X-Rate-Limit-Remaining": str(left.remaining),
        "X-Rate-Limit-Retry": str(left.reset_at),
    }
    return headers if left.retry_after is None else headers | {"X-Rate-Limit-Type": "api_calls"}
