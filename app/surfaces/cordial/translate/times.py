"""Times as Cordial shows them, and as its clients send them."""

import re
from datetime import UTC, datetime

from app.errors import Complaint, Refused
from app.resources.conversion import BadCell
from app.resources.times import convert_datetime

match_american_date = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})").fullmatch


def format_time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def parse_time(text: str | None, parameter: str) -> datetime | None:
    """A date as MM-DD-YYYY or in ISO 8601, which means its first moment in UTC, or an ISO 8601 date-time, in UTC if it
    has no zone. Raises Refused("invalid")."""
    if text is None:
        return None
    american = match_american_date(text.strip())
    converted = convert_datetime(f"{american[3]}-{american[1]}-{american[2]}" if american else text)
    if isinstance(converted, BadCell):
        reason = f"The {parameter} must be a date as MM-DD-YYYY or in ISO 8601, or an ISO 8601 date-time."
        raise Refused("invalid", reason, [Complaint(parameter, reason)])
    return datetime.fromisoformat(converted.strip('"'))
