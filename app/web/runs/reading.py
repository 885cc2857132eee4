"""Which runs a caller may see, and the cursor of their list."""

from datetime import datetime
from typing import Final

from app.auth.caller import Caller
from app.deliveries.webhooks.delivery import Delivery
from app.runs.kinds import KINDS, Kind
from app.runs.model import Run
from app.web.caller import ensure_scope
from app.web.declared.shape import to_utc
from app.web.links import decode_cursor, encode_cursor, invalid_cursor

BEFORE_ALL: Final = encode_cursor("1970-01-01T00:00:00+00:00 0")  # as the cursor of a run that is older than all


def visible_kinds(caller: Caller, wanted: Kind | None) -> list[Kind]:
    """The kinds of runs that the caller may see, or the one that is wanted. Raises Refused("not_allowed")."""
    if wanted is None:
        return [kind for kind, rules in KINDS.items() if caller.has_scope(rules.read_scope)]
    ensure_scope(caller, KINDS[wanted].read_scope)
    return [wanted]


def encode_run_cursor(run: Run | Delivery) -> str:
    """Messages of webhooks are listed as runs are: by the moment at which they came to be, and by their id."""
    return encode_cursor(f"{run.created_at.isoformat()} {run.id}")


def decode_run_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """The moment and the id of the last run that was seen. Raises Refused("invalid") for a cursor that this service has
    not issued."""
    text = decode_cursor(cursor)
    if text is None:
        return None
    moment, _, run_id = text.partition(" ")
    try:
        created_at = to_utc(datetime.fromisoformat(moment))
    except ValueError:
        raise invalid_cursor("cursor") from None
    if not run_id:
        raise invalid_cursor("cursor")
    return created_at, run_id
