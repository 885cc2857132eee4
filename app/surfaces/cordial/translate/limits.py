"""What is left of a caller's rate limit, in Cordial's headers (article "API rate limiting")."""

import time

from app.throttle import Allowance


def rate_headers(left: Allowance) -> dict[str, str]:
    """`Reset` is in seconds from now, unlike other vendors'."""
    return {
        "X-Rate-Limit-Limit": str(left.limit),
        "X-Rate-Limit-Remaining": str(left.remaining),
        "X-Rate-Limit-Reset": str(max(0, left.reset_at - int(time.time()))),
    }
