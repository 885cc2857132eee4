"""Finds the name that somebody probably meant by a heading that is not known."""

import difflib
from collections.abc import Iterable
from functools import cached_property
from typing import Final

ALIKE: Final = 0.8  # from 0 to 1
FUZZY_CHARACTERS: Final = 40
# Comparing takes time that grows with the lengths multiplied: 40 µs for two names of 40 characters.
FUZZY_COMPARISONS: Final = 10_000


class NearestName:
    """The names that are known. A name that differs only in case, blanks and punctuation is found for every heading,
    one with a slip of the pen only until FUZZY_COMPARISONS are used up: among 500 names for at least 20 headings."""

    def __init__(self, names: Iterable[str]) -> None:
        self._given = names
        self._comparisons = FUZZY_COMPARISONS

    @cached_property
    def _names(self) -> dict[str, str]:
        """By what of them counts; of two that are alike the first. Most headers are known, and never ask."""
        return {_reduce(name): name for name in reversed(list(self._given))}

    def find(self, heading: str) -> str | None:
        reduced = _reduce(heading)
        if not reduced or reduced in self._names:
            return self._names.get(reduced)
        if len(reduced) > FUZZY_CHARACTERS:
            return None
        # Those whose length alone makes them unlike cost nothing.
        shortest, longest = len(reduced) * ALIKE / (2 - ALIKE), len(reduced) * (2 - ALIKE) / ALIKE
        near = [name for name in self._names if shortest <= len(name) <= longest]
        if len(near) > self._comparisons:
            return None
        self._comparisons -= len(near)
        close = difflib.get_close_matches(reduced, near, n=1, cutoff=ALIKE)
        return self._names[close[0]] if close else None


def _reduce(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))
