"""What an import and all that came of it come to."""

from typing import Any

import pytest

from app.runs.families.totals import FamilyTotals, add_up


def member(id: str, parent: str | None, total: int, failed: int) -> dict[str, Any]:
    return {"id": id, "parent_id": parent, "total": total, "failed": failed, "good": total - failed, "done": True}


@pytest.mark.parametrize(
    ("others", "failed"),
    [
        ([("b", "a", 10, 4)], 4),  # a retry of all failed rows
        ([("b", "a", 10, 4), ("c", "b", 4, 1)], 1),  # and a retry of that
        ([("b", "a", 10, 4), ("c", "a", 10, 2)], 2),  # another of all: the better one counts
        ([("b", "a", 3, 0), ("c", "a", 4, 1)], 4),  # two corrections, of other rows each
        ([("b", "a", 10, 0), ("c", "a", 3, 0)], 0),  # rows that went in twice
        ([("b", "a", 40, 0)], 0),  # the whole file, corrected
    ],
)
def test_rows_that_went_in_later_count_once(others: list[tuple[str, str, int, int]], failed: int) -> None:
    members = [member("a", None, 100, 10), *(member(*each) for each in others)]
    assert add_up(members) == FamilyTotals("a", len(members), 0, 100, failed)


def test_rows_that_were_never_looked_at_have_not_gone_in() -> None:
    first = {**member("a", None, 100, 10), "good": 50}  # cancelled
    assert add_up([first, member("b", "a", 10, 0)]).success == 60
