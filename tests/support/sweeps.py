"""Sweeps over many cases: each run of the suite has a few of them, and `make test-all` has all."""

import os
from collections.abc import Collection, Iterable
from typing import Any, Final

import pytest

ALL: Final = bool(os.environ.get("SLUICE_TEST_ALL"))  # as `make test-all` sets it
SHARE: Final = 3
FEWEST: Final = 4


def few(cases: Iterable[Any], quick: Collection[Any]) -> list[Any]:
    """The cases as parameters, of which all but the quick ones are slow."""
    return [each if each in quick else pytest.param(each, marks=pytest.mark.slow) for each in cases]


def few_or_all(steps: Iterable[str], quick: Collection[str]) -> pytest.MarkDecorator:
    """Runs a test that takes `steps`, those of one run of a worker, with a few of them and, if slow, with all."""
    every = tuple(steps)
    some = tuple(step for step in every if step in quick)
    assert len(some) == len(quick)
    return pytest.mark.parametrize("steps", [some, pytest.param(every, marks=pytest.mark.slow)], ids=["few", "all"])


def examples(number: int) -> int:
    """How many examples of Hypothesis a test tries, of the number that `make test-all` has."""
    return number if ALL else max(min(number, FEWEST), number // SHARE)
