"""A webhook: an address that receives events about runs, and the events that there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.runs.model import AccountId

PREFIX: Final = "wh_"
TEST: Final = "webhook.test"  # sent when somebody asks for it, and once

# Every event that a webhook can be told of, and when it happens.
MEANINGS: Final[Mapping[str, str]] = {
    "run.finished": "A run has come to its end. Rows of it may have failed: look at the counts",
    "run.failed": "A run could not be processed, and `failure` says why",
    "run.cancelled": "Somebody has cancelled a run, or nobody has decided about it in time",
    "run.halted": "A brake has stopped a run, and it waits until somebody resumes or cancels it",
    "run.planned": "A run has shown what it would write, and waits until somebody lets it go on",
}
SUBSCRIBABLE: Final = tuple(MEANINGS)
# Why a webhook is switched off by itself.
DISABLED: Final[Mapping[str, str]] = {
    "gone": "Its receiver answered with status 410, which asks to send nothing any more"
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as an account has stored it, without its secrets. `troubles` is how often in a row its receiver could
    not be reached, `resting_until` until when it is left alone for that."""

    id: str
    account_id: AccountId
    name: str
    url: str
    events: Sequence[str]
    only_named: bool
    enabled: bool
    disabled_code: str | None
    troubles: int
    resting_until: datetime | None
    created_at: datetime
    updated_at: datetime


def webhook_from(row: Mapping[Any, Any]) -> Webhook:
    """A webhook from its row."""
    return Webhook(
        id=row["id"],
        account_id=AccountId(row["account_id"]),
        name=row["name"],
        url=row["url"],
        events=tuple(event for event in SUBSCRIBABLE if event in row["events"]),
        only_named=row["only_named"],
        enabled=row["enabled"],
        disabled_code=row["disabled_code"],
        troubles=row["troubles"],
        resting_until=row["resting_until"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
