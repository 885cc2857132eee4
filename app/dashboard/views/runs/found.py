"""How it is told in which way a column was found."""

from collections.abc import Mapping
from typing import Final

from app.imports.results.columns import DescribedColumn

# `found` of DescribedColumn.
FOUND_WORDS: Final[Mapping[str, str]] = {
    "exact": "It is called like the field",
    "label": "It is called like the label of the field",
    "loose": "It is called like the field but for capitals, blanks and marks",
    "position": "By its place",
    "ignored": "Ignored on purpose",
    "unknown": "The type has no field for it",
}
# Of a column that is `named`.
NAMED_WORDS: Final[Mapping[str, str]] = {
    "exact": "It is named in the mapping",
    "loose": "It is named in the mapping but for capitals, blanks and marks",
    "position": "By its place, which the mapping names",
}


def tell_found(column: DescribedColumn) -> str:
    return NAMED_WORDS[column.found] if column.named else FOUND_WORDS[column.found]
