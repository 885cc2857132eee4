"""How it is told in which way a column was found."""

from collections.abc import Mapping
from typing import Final

# `found` of app.imports.results.columns.DescribedColumn.
FOUND_WORDS: Final[Mapping[str, str]] = {
    "exact": "It is called like the field, or the mapping says so",
    "label": "It is called like the label of the field",
    "loose": "It is called like the field but for capitals, blanks and marks",
    "position": "By its place",
    "ignored": "Ignored on purpose",
    "unknown": "The type has no field for it",
}
