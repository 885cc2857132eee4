"""Watches the statements of the service: each one that names `records` is of one account, which it binds."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import greenlet

APP: Final = str(Path(__file__).resolve().parents[2] / "app")
NAMED: Final = re.compile(r"(?<![\w.])(?:FROM|JOIN|INTO|UPDATE|USING|TABLE)\s+(?:ONLY\s+)?records\b", re.IGNORECASE)
# By equality, or as the first of what is inserted.
BOUND: Final = re.compile(
    r"\baccount_id = (?:CAST\()?\$\d+|\bINTO records (?:AS \w+ )?\(account_id,[^)]*\)\s*(?:SELECT |VALUES \()\$\d+"
)
# What keeps house for all accounts at once, each of them compared with its own records only.
FOR_ALL: Final = ("/storage/images/pictures.py",)


class Watch:
    """The statements that are not of one account. Each text is looked at once."""

    def __init__(self) -> None:
        self.at_fault: dict[str, str] = {}  # statement -> where it comes from
        self._seen: set[str] = set()

    def __call__(self, _: Any, __: Any, statement: str, *___: Any) -> None:
        if statement in self._seen:
            return
        self._seen.add(statement)
        if NAMED.search(statement) and not BOUND.search(statement):
            place = find_sender()
            if place is not None and not place.startswith(FOR_ALL):
                self.at_fault[statement] = place


def find_sender() -> str | None:
    """The place in the service that sends a statement; None if a test sends it by itself."""
    for frame in frames():
        name = frame.f_code.co_filename
        if name.startswith(APP):
            return f"{name.removeprefix(APP)}:{frame.f_lineno}"
        if "site-packages" not in name and "/tests/" in name and name != __file__:
            return None
    return None


def frames() -> Iterator[FrameType]:
    """From the innermost on, also outside the greenlet in which SQLAlchemy calls the driver."""
    inner: greenlet.greenlet | None = greenlet.getcurrent()
    frame: FrameType | None = sys._getframe()
    while inner is not None:
        while frame is not None:
            yield frame
            frame = frame.f_back
        inner = inner.parent
        frame = inner.gr_frame if inner is not None else None
