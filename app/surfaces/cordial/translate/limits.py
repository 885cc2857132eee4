"""Cordial's headers for a rate limit (its article "API rate limiting")."""

import time

from app.throttle import Allowance


def build_rate_headers(left: Allowance) -> dict[str, str]:
    """`Reset` counts seconds from now, unlike that of other vendors."""
    return {
        "X-Rate-Limit-Limit": str(left.limit),
        "X-Rate-Limit-Remaining": str(left.remaining),
        "X-Rate-Limit-Reset": str(max(0, left.reset_at - int(time.time()))),
    }
