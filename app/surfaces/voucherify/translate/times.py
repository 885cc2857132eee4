"""Times as Voucherify's clients send them in a query, each SDK in its own spelling, and as customers show them."""

import re
from datetime import UTC, datetime

from app.errors import Refused
from app.resources.conversion import BadCell
from app.resources.times import convert_datetime

# What the SDKs add to ISO 8601: Ruby's `14:14:31 UTC` and `14:14:31 +0000`, and an offset whose plus has been decoded
# to a space (Python's `+0000`, sent as it is). Only after a time of day: the space before that one is not a plus.
match_sdk_spelling = re.compile(r"(.+:[0-9.,]+) +(?:(UTC)|([+-]?)([0-9]{2}:?[0-9]{2}))").fullmatch


def parse_time(text: str, parameter: str) -> datetime:
    """A date, which means its first moment in UTC, or an ISO 8601 date-time, in UTC if it has no zone. Of more than six
    decimals the first six count. Raises Refused("invalid")."""
    spelling = match_sdk_spelling(text.strip())
    if spelling is not None:
        clock, utc, sign, offset = spelling.groups()
        text = f"{clock}Z" if utc else f"{clock}{sign or '+'}{offset}"
    converted = convert_datetime(text)
    if isinstance(converted, BadCell):
        detail = f"Property .{parameter} cannot be recognized as a ISO-8601 compliant date"
        raise Refused("invalid", detail, facts={"in": "query"})
    return datetime.fromisoformat(converted.strip('"'))


def format_exactly(time: datetime) -> str:
    """In UTC with six decimals, which is all that is stored: sent back as a cursor, it means the same time."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
