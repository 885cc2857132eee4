"""The history of a record, as its page tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec import UNSET, Raw, UnsetType

from app.dashboard.words import write_number
from app.undo.history import HistoryItem

WORDS: Final = {"created": "Created", "updated": "Changed", "removed": "Removed"}
MOST_FIELDS: Final = 5
MOST_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class PastChange:
    """`by` is what made it, `path` leads to it; "" if it is no run that is kept. `fields`: (name, before, after)."""

    what: str
    at: datetime
    by: str
    path: str
    fields: Sequence[tuple[str, str, str]]
    more: int  # fields
    unknown: bool  # it is not noted what it has changed


def show_change(item: HistoryItem) -> PastChange:
    fields = [(each.field, show_side(each.before), show_side(each.after)) for each in item.fields[:MOST_FIELDS]]
    path = "" if item.run_kind is UNSET else f"/app/runs/{item.run_id}"
    more = len(item.fields[MOST_FIELDS:])
    return PastChange(
        WORDS[item.outcome],
        datetime.fromisoformat(item.at),
        tell_writer(item),
        path,
        fields,
        more,
        item.unknown is True,
    )


def tell_writer(item: HistoryItem) -> str:
    if item.run_kind is UNSET:
        return "by itself" if item.run_id is UNSET else "by a run that is not kept any more"
    name = next((each for each in (item.run_name, item.file_name) if each is not UNSET), item.run_kind)
    place = "" if item.line is UNSET else f", line {write_number(item.line)}"
    return f"by “{name}”{place}"


def show_side(value: Raw | UnsetType) -> str:
    """An empty text for none."""
    text = "" if value is UNSET else bytes(value).decode()
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
