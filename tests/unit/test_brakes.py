"""A brake trips exactly where its limit is passed, and says so with both numbers."""

from dataclasses import fields

import pytest

from app.runs.holding.brakes import BRAKES, Brakes, Tally, find_tripped


@pytest.mark.parametrize(
    ("brakes", "within", "beyond", "words"),
    [
        (
            Brakes(max_errors=20),
            Tally(100, failed=20),
            Tally(100, failed=21),
            "`maxErrors` is 20, but 21 of 100 rows failed",
        ),
        (Brakes(max_errors=0), Tally(100), Tally(100, failed=1), "`maxErrors` is 0, but 1 of 100 rows failed"),
        (
            Brakes(max_error_share=0.29),  # 0.29 * 100 is less than 29 in floats
            Tally(100, failed=29),
            Tally(100, failed=30),
            "`maxErrorShare` is 0.29, but 30 of 100 rows failed",
        ),
        (
            Brakes(max_created=1_000),
            Tally(9_000, created=1_000),
            Tally(9_000, created=1_001),
            "`maxCreated` is 1,000, but 1,001 would be created",
        ),
        (
            Brakes(max_updated=5),
            Tally(9, updated=5),
            Tally(9, updated=6),
            "`maxUpdated` is 5, but 6 would be changed",
        ),
        (
            Brakes(max_removed=5),
            Tally(9, removed=5, stored=9),
            Tally(9, removed=6, stored=9),
            "`maxRemoved` is 5, but 6 of 9 records would be removed",
        ),
        (
            Brakes(max_removed_share=0.5),
            Tally(9, removed=500, stored=1_000),
            Tally(9, removed=501, stored=1_000),
            "`maxRemovedShare` is 0.5, but 501 of 1,000 records would be removed",
        ),
        (Brakes(min_rows=100), Tally(100), Tally(99), "`minRows` is 100, but the file has 99"),
    ],
)
def test_it_trips_beyond_its_limit_and_says_both_numbers(
    brakes: Brakes, within: Tally, beyond: Tally, words: str
) -> None:
    assert find_tripped(brakes, within) is None
    assert find_tripped(brakes, beyond) == words


def test_all_that_trip_are_told_together_and_without_brakes_nothing_does() -> None:
    worst = Tally(9, failed=9, created=9, updated=9, removed=9, stored=9)
    told = find_tripped(Brakes(max_errors=1, min_rows=10), worst)
    assert told == "`maxErrors` is 1, but 9 of 9 rows failed. `minRows` is 10, but the file has 9"
    assert find_tripped(Brakes(), worst) is find_tripped(None, worst) is None


def test_nothing_is_no_share_of_nothing() -> None:
    assert find_tripped(Brakes(max_removed_share=0.0, max_error_share=0.0), Tally(0)) is None


def test_every_brake_has_its_row() -> None:
    assert list(BRAKES) == [each.name for each in fields(Brakes)]


@pytest.mark.parametrize(
    ("brake", "value", "parsed"),
    [
        ("max_errors", "20", 20),
        ("max_errors", 0, 0),
        ("max_errors", "2147483648", None),
        ("max_errors", "-1", None),
        ("max_errors", "1.0", None),
        ("max_errors", "", None),
        ("max_errors", "٣", None),
        ("max_errors", True, None),
        ("max_errors", 1.5, None),
        ("max_error_share", "0.25", 0.25),
        ("max_error_share", ".5", 0.5),
        ("max_error_share", 1, 1.0),
        ("max_error_share", 0.00001, 0.00001),
        ("max_error_share", "50", None),
        ("max_error_share", "1e-3", None),
        ("max_error_share", "nan", None),
        ("max_error_share", float("nan"), None),
        ("max_error_share", float("inf"), None),
        ("max_error_share", [], None),
    ],
)
def test_a_limit_is_a_number_or_its_text(brake: str, value: object, parsed: float | None) -> None:
    assert BRAKES[brake].parse(value) == parsed
    assert (BRAKES[brake].find_mistake(value) is None) == (parsed is not None)
