"""Moments as Cordial shows them, and as they are asked for."""

import re
from datetime import UTC, datetime

from app.errors import Complaint, Refused
from app.resources.conversion import BadCell
from app.resources.times import convert_datetime

_american = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})").fullmatch


def shown(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def moment_from(text: str | None, name: str) -> datetime | None:
    """A date (its beginning in UTC) as MM-DD-YYYY or of ISO 8601, or a date-time of ISO 8601; without a zone in UTC.
    Raises Refused("invalid"); `name` is the parameter's."""
    if text is None:
        return None
    found = _american(text.strip())
    written = convert_datetime(f"{found[3]}-{found[1]}-{found[2]}" if found else text)
    if isinstance(written, BadCell):
        told = f"The {name} is not a date as MM-DD-YYYY or a moment of ISO 8601."
        raise Refused("invalid", told, [Complaint(name, told)])
    return datetime.fromisoformat(written.strip('"'))
