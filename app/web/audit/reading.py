"""Reads the filters and the cursor of a list of the audit log."""

from collections.abc import Mapping
from datetime import datetime

from app.audit.actions import ACTIONS
from app.audit.log import Deed, DeedQuery
from app.errors import Complaint, Refused
from app.storage.audit.rows import Filter
from app.web.links import encode_cursor, invalid_cursor
from app.web.runs.reading import decode_run_cursor


def read_deed_query(
    filters: Mapping[Filter, str | None],
    *,
    since: datetime | None = None,
    before: datetime | None = None,
    cursor: str | None = None,
) -> DeedQuery:
    """Raises Refused("invalid") for an action that there is not, and for a cursor that this service has not issued."""
    given = {name: value for name, value in filters.items() if value}
    if given.get("action", next(iter(ACTIONS))) not in ACTIONS:
        reason = "`action` must be one of the actions that the log tells, such as connection.changed"
        raise Refused("invalid", reason, [Complaint("action", reason)])
    return DeedQuery(given, since, before, decode_deed_cursor(cursor))


def encode_deed_cursor(deed: Deed) -> str:
    return encode_cursor(f"{deed.at.isoformat()} {deed.id}")


def decode_deed_cursor(cursor: str | None) -> tuple[datetime, int] | None:
    """The moment and the id of the last entry that was seen. Raises Refused("invalid")."""
    seen = decode_run_cursor(cursor)
    if seen is None:
        return None
    at, number = seen
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise invalid_cursor("cursor")
    return at, int(number)
