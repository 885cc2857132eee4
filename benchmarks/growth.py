"""Whether time per row and memory stay level as files grow."""

from pathlib import Path

from benchmarks import files, floor
from benchmarks.memory import Peaks, peaks, reset
from benchmarks.ours import Client, Timing
from benchmarks.report import Row, Section, at_most, level
from benchmarks.service import Service

SMALL = 10_000
# Small files take as long as a few polls: the best of some says more than one.
TRIES = 5


def growth(service: Service, folder: Path, most: int) -> Section:
    """Imports into fresh accounts, the smallest file first: memory that was needed once would hide what comes later."""
    Client(service, service.key("warm-up")).timed(files.make(folder, 100))
    taken = {rows: grown(service, files.make(folder, rows)) for rows in sizes(most)}
    floor.psql(service.instance.database_url, "TRUNCATE records")
    (fifth, (_, small)), (last, (timing, large)) = list(taken.items())[-3], list(taken.items())[-1]
    middle = taken[most // 6][0]
    rows = [row_of(each, memory) for each, memory in taken.values()]
    rows += [
        level(f"Engine, {most // 6:,} → {last:,} rows", (per_row(middle.engine, middle), per_row(timing.engine, timing)), unit="µs/row"),
        level(f"Worker memory, {fifth:,} → {last:,} rows", (small.worker, large.worker), unit="MB"),
        level(f"API memory, {fifth:,} → {last:,} rows", (small.api, large.api), unit="MB"),
        at_most("Worker memory, most", max(memory.worker for _, memory in taken.values()), 200, unit="MB"),
        at_most("API memory, most", max(memory.api for _, memory in taken.values()), 120, unit="MB"),
    ]
    return Section("Files that grow", rows)
