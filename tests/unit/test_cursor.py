"""The cursor of an import's problems: ours is read, anything else is refused before PostgreSQL sees it."""

import pytest

from app.errors import Refused
from app.runs.problems import parse_cursor


def test_a_cursor_that_was_given_out_is_read() -> None:
    assert parse_cursor(None) == (1, 0)
    assert parse_cursor("12.345") == (12, 345)
    assert parse_cursor("2147483647.2147483647") == (2**31 - 1, 2**31 - 1)


@pytest.mark.parametrize("cursor", ["", ".", "1", "1.", ".1", "2147483648.0", "1.2147483648", "٣.0", "1.1\n", "-1.0"])
def test_any_other_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Refused):
        parse_cursor(cursor)
