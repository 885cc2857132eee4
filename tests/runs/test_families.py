"""What an import and all that came of it come to."""

from typing import Any

import pytest

from app.runs.families.totals import FamilyTotals, add_up


def member(
    id: str, parent: str | None, total: int, failed: int, *, apart: bool = False, sha256: str = ""
) -> dict[str, Any]:
    """A file of its own, unless `sha256` says which."""
    counts = {"total": total, "failed": failed, "good": total - failed}
    return {"id": id, "parent_id": parent, "file_sha256": sha256 or id, "done": True, "apart": apart, **counts}


@pytest.mark.parametrize(
    ("others", "failed"),
    [
        ([("b", "a", 10, 4)], 4),  # a retry of all failed rows
        ([("b", "a", 10, 4), ("c", "b", 4, 1)], 1),  # and a retry of that
        ([("b", "a", 10, 4), ("c", "a", 10, 2)], 2),  # another of all: the better one counts
        ([("b", "a", 3, 0), ("c", "a", 4, 1)], 4),  # two corrections, of other rows each
        ([("b", "a", 10, 0), ("c", "a", 3, 0)], 0),  # rows that went in twice
        ([("b", "a", 100, 0)], 0),  # the whole file, corrected
        ([("b", "a", 100, 3)], 3),  # not everywhere
    ],
)
def test_rows_that_went_in_later_count_once(others: list[tuple[str, str, int, int]], failed: int) -> None:
    members = [member("a", None, 100, 10), *(member(*each) for each in others)]
    assert add_up(members) == FamilyTotals("a", len(members), 0, 100, failed)


def test_rows_that_nobody_else_has_count_beside_each_other_and_a_file_that_is_sent_twice_counts_once() -> None:
    first = member("a", None, 100, 10)
    apart = [member("b", "a", 6, 3, apart=True), member("c", "b", 3, 1, apart=True), member("d", "a", 4, 2, apart=True)]
    assert add_up([first, *apart]).failed == 3
    files = [member("b", "a", 4, 1, sha256="f"), member("c", "a", 4, 0, sha256="f"), member("d", "a", 3, 0)]
    assert add_up([first, *files]).failed == 3


def test_rows_that_were_never_looked_at_have_not_gone_in() -> None:
    first = {**member("a", None, 100, 10), "good": 50}  # cancelled
    assert add_up([first, member("b", "a", 10, 0)]).success == 60
    assert add_up([first, member("b", "a", 100, 1)]).success == 99  # the whole file again, corrected
    assert add_up([first, member("b", "a", 10, 0), {**member("c", "a", 100, 1), "good": 70}]).success == 70
    nothing = {**member("a", None, 100, 10), "good": 0}  # all or nothing
    assert add_up([nothing, member("b", "a", 100, 0)]).failed == 0
