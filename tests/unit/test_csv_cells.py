"""Values of JSON as cells of a failed-rows file."""

from decimal import Decimal

import pytest

from app.imports.results.csv_cells import format_cell


@pytest.mark.parametrize(
    ("value", "cell"), [(1, "1"), (0, "0"), (True, "true"), (Decimal("1.50"), "1.50"), ([1, True], "[1,true]")]
)
def test_one_and_zero_stay_numbers(value: object, cell: str) -> None:
    assert format_cell(value, None) == cell
