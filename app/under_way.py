"""Counts what requests that are not complete hold of a process, so that no account holds all of it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

Holder = TypeVar("Holder", int, str)


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Numbers by account, of streams by session and by who has signed in."""

    uploads: Counter[int] = field(default_factory=Counter)
    downloads: Counter[int] = field(default_factory=Counter)
    streams: Counter[str] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)  # polls that are held, and streams of events
    body_bytes: Counter[int] = field(default_factory=Counter)  # of bodies that are read as a whole


@contextmanager
def counting(counter: Counter[Holder], holder: Holder) -> Iterator[None]:
    """Counts one more of the holder for as long as the block lasts."""
    counter[holder] += 1
    try:
        yield
    finally:
        discount(counter, holder, 1)


def discount(counter: Counter[Holder], holder: Holder, number: int) -> None:
    """Keeps nobody who has nothing any more."""
    counter[holder] -= number
    if not counter[holder]:
        del counter[holder]
