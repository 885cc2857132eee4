"""What is left of a caller's rate limit, in Voucherify's headers (guide "Limits")."""

from app.throttle import Allowance


def rate_headers(left: Allowance) -> dict[str, str]:
    """`Retry` is in unix seconds, unlike `Retry-After`; `Type` is there once there is nothing left."""
    headers = {
        "X-Rate-Limit-Limit": str(left.limit),
        "X-Rate-Limit-Remaining": str(left.remaining),
        "X-Rate-Limit-Retry": str(left.reset_at),
    }
    return headers if left.retry_after is None else headers | {"X-Rate-Limit-Type": "api_calls"}
