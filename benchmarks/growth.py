"""Whether time per row and memory stay level as files grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import files, floor
from benchmarks.memory import MOST_API, MOST_WORKER, Peaks, peaks, reset
from benchmarks.ours import Client, Timing
from benchmarks.report import Row, Section, at_most, level
from benchmarks.service import Service

# Small files take as long as a few polls: the best of some says more than one.
SMALL, TRIES = 10_000, 5


@dataclass(frozen=True, slots=True)
class Grown:
    """The import of a file of one size into an account that was empty."""

    sample: files.Sample
    timing: Timing
    memory: Peaks

    @property
    def total_per_row(self) -> float:
        return self.timing.total / self.sample.rows * 1e6

    @property
    def engine_per_row(self) -> float:
        return self.timing.engine / self.sample.rows * 1e6

    def row(self) -> Row:
        figure = f"{self.total_per_row:.1f} µs/row, engine {self.engine_per_row:.1f} µs/row; {self.memory}"
        what = f"{self.sample.rows:,} rows, {self.sample.size / 1e6:.1f} MB"
        return Row(what, ours=f"{self.timing.total:.2f} s", figure=figure)


def growth(service: Service, folder: Path, most: int) -> Section:
    """The smallest file comes first: memory once taken is not all given back, and would hide what comes later."""
    floor.fresh(service.instance.database_url)
    Client(service, service.key("growth-warm-up")).timed(files.make(folder, 100))
    # A tenth of the largest is about 5 MB.
    sizes = sorted({min(1_000, most), min(10_000, most), most // 10, most // 6, most})
    grown = [grow(service, files.make(folder, rows)) for rows in sizes]
    note = (
        f"Each into an account of its own; files of at most {SMALL:,} rows {TRIES} times, the best one counts. "
        "Engine: from `startedAt` to `finishedAt`. Memory: the peak of the process (VmHWM), reset before each file."
    )
    return Section("Files that grow", [*(each.row() for each in grown), *compared(grown)], (note,))


def grow(service: Service, sample: files.Sample) -> Grown:
    clients = [
        Client(service, service.key(f"growth-{sample.rows}-{number}"))
        for number in range(TRIES if sample.rows <= SMALL else 1)
    ]
    floor.settled(service.instance.database_url)
    reset(service)
    best = min((client.timed(sample) for client in clients), key=lambda timing: timing.total)
    return Grown(sample, best, peaks(service))


def compared(grown: Sequence[Grown]) -> list[Row]:
    small, middle, large = grown[-3:]
    tenfold = f"{small.sample.rows:,} → {large.sample.rows:,} rows"
    engine = (middle.engine_per_row, large.engine_per_row)
    return [
        level(f"Engine, {middle.sample.rows:,} → {large.sample.rows:,} rows", engine, unit="µs/row"),
        level(f"Worker memory, {tenfold}", (small.memory.worker, large.memory.worker), unit="MB"),
        level(f"API memory, {tenfold}", (small.memory.api, large.memory.api), unit="MB"),
        at_most("Worker memory, most", max(each.memory.worker for each in grown), MOST_WORKER, unit="MB"),
        at_most("API memory, most", max(each.memory.api for each in grown), MOST_API, unit="MB"),
    ]
