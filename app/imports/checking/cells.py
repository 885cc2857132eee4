"""The cells of one column of a batch, and the types of values among them."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

ABSENT = object()  # the cell of a row that has none: a JSON object without the member, or the null marker in a file

CellTypes = AbstractSet[type]
ALL_TEXT: CellTypes = {str}
ALL_ABSENT: CellTypes = {type(ABSENT)}


class Cells(NamedTuple):
    """One cell per row of the batch. Cells of a delimited file are texts, those of JSON Lines any value.

    `types` is what lets a column that holds a single type, as most do, be converted without a look at each cell.
    """

    values: Sequence[object]
    types: CellTypes


def is_filled(cell: object) -> bool:
    """Whether a cell holds anything but white space."""
    if isinstance(cell, str):
        return bool(cell) and not cell.isspace()
    return cell is not None and cell is not ABSENT


def is_blank_text(cell: object) -> bool:
    """Whether a cell is text of nothing but white space (and not empty)."""
    return isinstance(cell, str) and cell.isspace()
