"""Gives out the moments at which the records of an import are created, no two of them alike (ADR 13)."""

import time
from datetime import datetime, timedelta


class RecordClock:
    """PostgreSQL's time, as far as it is known here."""

    def __init__(self, now: datetime) -> None:
        self._now, self._started, self._next = now, time.monotonic(), now

    def reserve(self, count: int) -> datetime:
        """The first of `count` successive microseconds that nobody else is given."""
        first = max(self._next, self._now + timedelta(seconds=time.monotonic() - self._started))
        self._next = first + timedelta(microseconds=count)
        return first
