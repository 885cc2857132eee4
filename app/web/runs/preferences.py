"""The preference `wait` (RFC 7240): for how long a client would rather wait than be told that nothing has changed."""

import re
from typing import Final

from fastapi import Request

LONGEST_WAIT_SECONDS: Final = 60
_match_wait = re.compile(r'\s*wait\s*=\s*("?)([0-9]{1,9})\1\s*(;.*)?', re.IGNORECASE).fullmatch


def read_wait(request: Request) -> int | None:
    """The seconds, at most LONGEST_WAIT_SECONDS; None without the preference. The first one counts, and what cannot be
    understood is ignored, as the RFC has it."""
    given = ",".join(request.headers.getlist("prefer")).split(",")
    found = next(filter(None, map(_match_wait, given)), None)
    return None if found is None else min(int(found[2]), LONGEST_WAIT_SECONDS)
