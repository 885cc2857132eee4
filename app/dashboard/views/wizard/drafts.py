"""Unfinished drafts as lists show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.dashboard.views.wizard.frame import TITLES, address_of, address_of_step
from app.drafts.draft import DraftItem

NEW_TEMPLATE: Final = "New template"


@dataclass(frozen=True, slots=True)
class DraftRow:
    name: str
    step: str
    changed_at: datetime
    address: str
    discard: str


def show_drafts(items: Sequence[DraftItem]) -> list[DraftRow]:
    """For the macro `unfinished` of templates/parts/drafts.html."""
    return [
        DraftRow(
            each.name,
            NEW_TEMPLATE if each.for_template else TITLES[each.step],
            each.changed_at,
            f"/app/templates/new/{each.id}" if each.for_template else address_of_step(each),
            f"{address_of(each.id)}/discard",
        )
        for each in items
    ]
