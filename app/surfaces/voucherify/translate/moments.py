"""Moments as Voucherify's clients send them in a query, each SDK in its own spelling, and as customers show them."""

import re
from datetime import UTC, datetime

from app.errors import Refused
from app.resources.conversion import BadCell
from app.resources.times import convert_datetime

# What the SDKs add to ISO 8601: Ruby's `14:14:31 UTC` and `14:14:31 +0000`, and an offset whose plus has been decoded
# to a blank (Python's `+0000`, sent as it is). Only behind a time of day: the blank before that one is no plus.
_spelled = re.compile(r"(.+:[0-9.,]+) +(?:(UTC)|([+-]?)([0-9]{2}:?[0-9]{2}))").fullmatch


def moment_from(text: str, name: str) -> datetime:
    """A date (its beginning in UTC) or a date-time of ISO 8601, without a zone in UTC; of more than six decimals the
    first six. Raises Refused("invalid"); `name` is the parameter's."""
    found = _spelled(text.strip())
    if found is not None:
        clock, utc, sign, offset = found.groups()
        text = f"{clock}Z" if utc else f"{clock}{sign or '+'}{offset}"
    written = convert_datetime(text)
    if isinstance(written, BadCell):
        told = f"Property .{name} cannot be recognized as a ISO-8601 compliant date"
        raise Refused("invalid", told, facts={"in": "query"})
    return datetime.fromisoformat(written.strip('"'))


def exact(at: datetime) -> str:
    """In UTC with six decimals, all that is stored: sent back as a cursor, it stands for the same moment."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
