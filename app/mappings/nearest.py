"""Finds the name that somebody probably meant by a heading that is not known."""

import difflib
from collections.abc import Iterable
from typing import Final

ALIKE: Final = 0.8  # from 0 to 1
FUZZY_SEARCHES: Final = 20  # comparing takes time that grows with the lengths multiplied
FUZZY_CHARACTERS: Final = 40
MOST_NAMES: Final = 500


class NearestName:
    """The names that are known. A name that differs only in case, blanks and punctuation is found for every heading,
    one with a slip of the pen only for the first FUZZY_SEARCHES headings."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {_reduce(name): name for name in reversed(list(names)[:MOST_NAMES])}
        self._searches = 0

    def find(self, heading: str) -> str | None:
        reduced = _reduce(heading)
        if not reduced or reduced in self._names:
            return self._names.get(reduced)
        if len(reduced) > FUZZY_CHARACTERS or self._searches >= FUZZY_SEARCHES:
            return None
        self._searches += 1
        short = [name for name in self._names if len(name) <= FUZZY_CHARACTERS]
        close = difflib.get_close_matches(reduced, short, n=1, cutoff=ALIKE)
        return self._names[close[0]] if close else None


def _reduce(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))
