"""Counts the different bad values of an import, by column and code, the most frequent first.

The problems are read batch by batch, and at most MOST_VALUES different values are counted at once. Where there are
more, the ledger is read twice: the first time finds every value that can be frequent (Misra and Gries, "Finding
repeated elements", 1982), the second counts these exactly. The rest is told as one number.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from app.errors import Refused, SourceLost
from app.imports.results.reread import load_batches
from app.problems import VALUE_CHARACTERS
from app.runs import problems
from app.runs.model import Run
from app.runs.problems import ALL, Wanted
from app.runtime import Runtime

MOST_VALUES: Final = 5_000  # 5 MB at worst
GONE: Final = "The import has been deleted meanwhile"

Place = tuple[str, str, str, str]  # column, field, code, value


@dataclass(frozen=True, slots=True)
class FailedValue:
    """A bad value, and in how many rows it is. "" is a blank cell. A value that is `cut` was longer."""

    column: str
    field: str
    code: str
    value: str
    count: int

    @property
    def cut(self) -> bool:
        return len(self.value) == VALUE_CHARACTERS and self.value.endswith("…")

    @property
    def rank(self) -> tuple[int, str, str, str]:
        """Its place in the list."""
        return -self.count, self.column, self.code, self.value


@dataclass(frozen=True, slots=True)
class FailedValues:
    """`others` are bad cells whose values are not in the list: each of these values is in at most `at_most` rows."""

    values: list[FailedValue]
    others: int = 0
    at_most: int = 0


async def count_values(runtime: Runtime, run: Run, wanted: Wanted = ALL, *, most: int = MOST_VALUES) -> FailedValues:
    """In the account's turns. Raises Refused: not_found if the run is deleted meanwhile, too_many_reads."""
    frequent = FrequentValues(most)
    await read_problems(runtime, run, lambda packed: frequent.add(list_places(packed, wanted)))
    if not frequent.missed:
        return FailedValues(rank_values(frequent.counts))
    known = KnownValues(dict.fromkeys(frequent.counts, 0))
    await read_problems(runtime, run, lambda packed: known.add(list_places(packed, wanted)), begun=True)
    return FailedValues(rank_values(known.counts), known.others, frequent.missed)


async def read_problems(runtime: Runtime, run: Run, read: Callable[[bytes], None], *, begun: bool = False) -> None:
    """Gives the packed problems of each batch to `read`, which blocks."""
    try:
        async for batch in load_batches(runtime, run, only_with_problems=True):
            async with runtime.heavy_reads.turn(run.account_id, begun=begun):
                await asyncio.to_thread(read, batch["problems"])
            begun = True
    except SourceLost:
        raise Refused("not_found", GONE) from None


def list_places(packed: bytes, wanted: Wanted) -> Iterator[Place]:
    """Of each problem that is about a cell. Blocking."""
    for problem in problems.unpack(packed):
        if problem.column is not None and wanted.fits(problem):
            yield problem.column, problem.field or "", problem.code, problem.value or ""


@dataclass(slots=True)
class FrequentValues:
    """Counts at most `most` different values. When another one comes each loses one, and who has none left goes: a
    value that is in more than `missed` rows is still there at the end. Nothing is lost unless there are too many."""

    most: int
    counts: dict[Place, int] = field(default_factory=dict)
    missed: int = 0

    def add(self, places: Iterator[Place]) -> None:
        counts = self.counts
        for place in places:
            if place in counts or len(counts) < self.most:
                counts[place] = counts.get(place, 0) + 1
            else:
                self.missed += 1
                for each in [each for each, count in counts.items() if count == 1]:
                    del counts[each]
                for each in counts:
                    counts[each] -= 1


@dataclass(slots=True)
class KnownValues:
    """Counts these values, and how many others there are."""

    counts: dict[Place, int]
    others: int = 0

    def add(self, places: Iterator[Place]) -> None:
        counts = self.counts
        for place in places:
            if place in counts:
                counts[place] += 1
            else:
                self.others += 1


def rank_values(counts: Mapping[Place, int]) -> list[FailedValue]:
    found = [FailedValue(*place, count) for place, count in counts.items() if count]
    return sorted(found, key=lambda each: each.rank)
