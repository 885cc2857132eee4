"""Finds the name that somebody probably meant by a heading that is not known."""

import difflib
from collections.abc import Iterable
from functools import cached_property
from heapq import nlargest
from itertools import pairwise
from typing import Final

ALIKE: Final = 0.8  # from 0 to 1
FUZZY_SEARCHES: Final = 20
FUZZY_CHARACTERS: Final = 40
# Comparing two names takes some 40 µs, which grow with their lengths multiplied; counting what they share takes 1 µs.
COMPARED: Final = 50


class NearestName:
    """The names that are known. A name that differs only in case, blanks and punctuation is found for every heading,
    one with a slip of the pen only for the first FUZZY_SEARCHES headings: 5 ms for each among 2,000 names."""

    def __init__(self, names: Iterable[str]) -> None:
        self._given = names
        self._searches = 0

    @cached_property
    def _names(self) -> dict[str, str]:
        """By what of them counts; of two that are alike the first. Most headers are known, and never ask."""
        return {_reduce(name): name for name in reversed(list(self._given))}

    @cached_property
    def _pieces(self) -> dict[str, frozenset[str]]:
        return {name: _cut(name) for name in self._names if len(name) <= FUZZY_CHARACTERS}

    def find(self, heading: str) -> str | None:
        reduced = _reduce(heading)
        if not reduced or reduced in self._names:
            return self._names.get(reduced)
        if len(reduced) > FUZZY_CHARACTERS or self._searches >= FUZZY_SEARCHES:
            return None
        self._searches += 1
        pieces = _cut(reduced)
        compared = nlargest(COMPARED, self._pieces, key=lambda name: len(pieces & self._pieces[name]))
        close = difflib.get_close_matches(reduced, compared, n=1, cutoff=ALIKE)
        return self._names[close[0]] if close else None


def _reduce(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _cut(name: str) -> frozenset[str]:
    """Its characters and its pairs of characters: two names that are alike share most of them."""
    return frozenset([*name, *(first + second for first, second in pairwise(name))])
