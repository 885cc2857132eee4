"""What a cell shows that its value does not tell."""

from typing import NamedTuple


class Mark(NamedTuple):
    """A cell by its row and column, both from 0 on. `shown` is the name of an error, or of a whole number how many
    digits it has at least."""

    row: int
    column: int
    shown: str | int
