"""Counts what requests that are not complete hold of a process, so that no account holds all of it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Numbers by account."""

    uploads: Counter[int] = field(default_factory=Counter)
    downloads: Counter[int] = field(default_factory=Counter)
    body_bytes: Counter[int] = field(default_factory=Counter)  # of bodies that are read as a whole


@contextmanager
def counting(counter: Counter[int], account_id: int) -> Iterator[None]:
    """Counts one more of the account for as long as the block lasts."""
    counter[account_id] += 1
    try:
        yield
    finally:
        discount(counter, account_id, 1)


def discount(counter: Counter[int], account_id: int, number: int) -> None:
    """Keeps no account that has nothing any more."""
    counter[account_id] -= number
    if not counter[account_id]:
        del counter[account_id]
