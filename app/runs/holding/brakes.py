"""Brakes: what a run may do at most before somebody has to say that it is meant."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

MOST: Final = 2_147_483_647
COUNT: Final = f"a whole number from 0 to {MOST:,}"
SHARE: Final = "a number from 0 to 1"
MAX_REMOVED_SHARE: Final = 0.5  # of a replacement that does not say otherwise

is_count = re.compile(r"[0-9]{1,10}").fullmatch
is_share = re.compile(r"[0-9]{1,3}(\.[0-9]{1,9})?|\.[0-9]{1,9}").fullmatch


@dataclass(frozen=True, slots=True)
class Brakes:
    """Each is None if there is no such limit. Shares are from 0 to 1."""

    max_errors: int | None = None
    max_error_share: float | None = None
    max_created: int | None = None
    max_updated: int | None = None
    max_removed: int | None = None
    max_removed_share: float | None = None
    min_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What a run has done, or is about to do."""

    total: int  # rows of its file
    failed: int = 0
    created: int = 0
    updated: int = 0
    removed: int = 0
    stored: int = 0  # records that there were before


@dataclass(frozen=True, slots=True)
class Brake:
    """One of the limits: what it is called in requests, what it is about, and how a breach is told."""

    name: str
    about: str  # for documents: goes on from "The run is halted if"
    words: str
    find_count: Callable[[Tally], int]
    find_whole: Callable[[Tally], int] | None = None  # what the limit is a share of
    least: bool = False  # the count has to be at least so high

    @property
    def kind(self) -> str:
        """What a value must be, for messages."""
        return COUNT if self.find_whole is None else SHARE

    def parse(self, value: object) -> int | float | None:
        """A number, or its text as a form has it; None if it cannot be."""
        number: object = value
        if isinstance(value, str):
            number = int(value) if is_count(value) else float(value) if is_share(value) else None
        if isinstance(number, bool) or not isinstance(number, int | float):
            return None
        if self.find_whole is None:
            return number if isinstance(number, int) and 0 <= number <= MOST else None
        return float(number) if 0 <= number <= 1 else None

    def find_mistake(self, value: object) -> str | None:
        """A text that goes on from the name; None if the value can be."""
        return f"must be {self.kind}" if self.parse(value) is None else None

    def is_breached(self, limit: float, tally: Tally) -> bool:
        # 0.29 * 100 is less than 29 in floats.
        allowed = Decimal(str(limit)) * (1 if self.find_whole is None else self.find_whole(tally))
        count = self.find_count(tally)
        return count < allowed if self.least else count > allowed


# By the name of the field of Brakes.
BRAKES: Final[Mapping[str, Brake]] = {
    "max_errors": Brake(
        "maxErrors",
        "more rows fail than this",
        "`maxErrors` is {limit:,}, but {count:,} of {rows:,} rows failed",
        lambda tally: tally.failed,
    ),
    "max_error_share": Brake(
        "maxErrorShare",
        "a larger share of all rows fails",
        "`maxErrorShare` is {limit}, but {count:,} of {rows:,} rows failed",
        lambda tally: tally.failed,
        lambda tally: tally.total,
    ),
    "max_created": Brake(
        "maxCreated",
        "more records would be created",
        "`maxCreated` is {limit:,}, but {count:,} would be created",
        lambda tally: tally.created,
    ),
    "max_updated": Brake(
        "maxUpdated",
        "more records would be changed",
        "`maxUpdated` is {limit:,}, but {count:,} would be changed",
        lambda tally: tally.updated,
    ),
    "max_removed": Brake(
        "maxRemoved",
        "more records would be removed",
        "`maxRemoved` is {limit:,}, but {count:,} of {stored:,} records would be removed",
        lambda tally: tally.removed,
    ),
    "max_removed_share": Brake(
        "maxRemovedShare",
        "a larger share of the records that there are would be removed",
        "`maxRemovedShare` is {limit}, but {count:,} of {stored:,} records would be removed",
        lambda tally: tally.removed,
        lambda tally: tally.stored,
    ),
    "min_rows": Brake(
        "minRows",
        "the file has fewer rows",
        "`minRows` is {limit:,}, but the file has {count:,}",
        lambda tally: tally.total,
        least=True,
    ),
}


REMOVAL: Final = ("max_removed", "max_removed_share")  # for runs that remove records


def collect_brakes(limits: Mapping[str, Any]) -> Brakes | None:
    """The brakes of which `limits` has a value; None if there is none."""
    given = {name: limits[name] for name in BRAKES if limits.get(name) is not None}
    return Brakes(**given) if given else None


def fill_brakes(own: Brakes | None, defaults: Mapping[str, Any], *, replaces: bool, removes: bool) -> Brakes | None:
    """The brakes of a run: its own, and where it has none those of its account. A run that `replaces` a type, and
    removes what nobody has named, has one in any case; one that `removes` no records has none about that."""
    filled: dict[str, Any] = ({"max_removed_share": MAX_REMOVED_SHARE} if replaces else {}) | dict(defaults)
    if not removes:
        filled |= dict.fromkeys(REMOVAL)
    filled |= {name: limit for name in BRAKES if (limit := getattr(own, name, None)) is not None}
    return collect_brakes(filled)


def find_tripped(brakes: Brakes | None, tally: Tally) -> str | None:
    """Says in whole sentences which brakes stop the run, each with both numbers; None if none does. What trips at the
    end of a run trips as soon as the counts so far are too high, for they only rise."""
    return ". ".join(describe_breaches(brakes, tally)) or None


def describe_breaches(brakes: Brakes | None, tally: Tally) -> Iterator[str]:
    for name, brake in BRAKES.items() if brakes is not None else ():
        limit = getattr(brakes, name)
        if limit is not None and brake.is_breached(limit, tally):
            count, rows, stored = brake.find_count(tally), tally.total, tally.stored
            yield brake.words.format(limit=limit, count=count, rows=rows, stored=stored)
