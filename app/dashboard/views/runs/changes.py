"""What becomes of single records, field by field, as pages show it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from app.runs.changes.change import ChangeOutcome, RecordChange
from app.runs.changes.file import format_value

MOST_FIELDS: Final = 12  # of a record
LONGEST_VALUE: Final = 200
WOULD_BE: Final[Mapping[ChangeOutcome, str]] = {
    "created": "would be created",
    "updated": "would be changed",
    "removed": "would be removed",
}


@dataclass(frozen=True, slots=True)
class FieldView:
    """None: the record does not have the field."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ChangeView:
    key: str
    words: str
    row: int | None
    fields: Sequence[FieldView]
    more: int  # fields that are not shown


def show_changes(changes: Iterable[RecordChange]) -> list[ChangeView]:
    return [
        ChangeView(
            change.key,
            WOULD_BE[change.outcome],
            None if change.row is UNSET else change.row,
            [
                FieldView(
                    each.field,
                    None if each.before is UNSET else format_value(each.before)[:LONGEST_VALUE],
                    None if each.after is UNSET else format_value(each.after)[:LONGEST_VALUE],
                )
                for each in change.fields[:MOST_FIELDS]
            ],
            len(change.fields[MOST_FIELDS:]),
        )
        for change in changes
    ]
