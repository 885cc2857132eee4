"""Many large imports at once: what they take of memory, how long a small one waits behind them, and how long alone."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import files
from benchmarks.memory import MOST_API, MOST_WORKER, peaks, reset
from benchmarks.ours import Client
from benchmarks.report import Row, Section, at_most
from benchmarks.service import Service

UPLOADS = 10  # as many as one account may have waiting
WATCHED = 30.0  # seconds that the worker is watched once all are accepted
SMALL: Final = 100
ROUNDS: Final = 20  # of a small import that nothing is in the way of, after one that warms up
MOST_ALONE, MOST_BEHIND = 100, 2  # milliseconds and seconds from the first byte, or from accepted, to finished
POLLED_EVERY: Final = 0.01  # seconds


def uploads(service: Service, sample: files.Sample) -> Section:
    reset(service)
    began = time.perf_counter()
    posted(service, service.key("uploads"), sample, UPLOADS)
    took = time.perf_counter() - began
    time.sleep(WATCHED)
    memory = peaks(service)
    rows = [
        Row("All accepted after", ours=f"{took:.1f} s", figure=f"{took / UPLOADS:.2f} s a file"),
        at_most("Worker memory, most", memory.worker, MOST_WORKER, unit="MB"),
        at_most("API memory, most", memory.api, MOST_API, unit="MB"),
    ]
    notes = (f"The memory is watched from the first byte until {WATCHED:.0f} s after the last file was accepted.",)
    return Section(f"{UPLOADS} uploads of {sample.size / 1e6:.0f} MB at once", rows, notes)


def fairness(service: Service, sample: files.Sample, folder: Path) -> Section:
    small, key = files.make(folder, SMALL), service.key("fairness")
    client = Client(service, key)
    large = posted(service, key, sample, UPLOADS - 1)
    last = client.post(small)
    began = time.perf_counter()
    before = sum(client.get(run)["status"] in {"queued", "inProgress"} for run in large)
    client.ended(last)
    waited = time.perf_counter() - began
    rows = [at_most(f"{SMALL} rows, from accepted to finished", waited, MOST_BEHIND, unit="s")]
    notes = (f"Behind {before} imports of {sample.rows:,} rows of the same account that had not ended; one worker.",)
    return Section("A small import behind large ones", rows, notes)


def small(service: Service, folder: Path) -> Section:
    client, sample = Client(service, service.key("small")), files.make(folder, SMALL)
    taken = [client.timed(sample, pause=POLLED_EVERY) for _ in range(1 + ROUNDS)][1:]
    rows = [
        at_most(
            f"{SMALL} rows, from the first byte to finished",
            median(each.total for each in taken) * 1e3,
            MOST_ALONE,
            unit="ms",
        ),
        Row("… of which the POST", figure=f"{median(each.upload for each in taken) * 1e3:.1f} ms"),
        Row("… and the work", figure=f"{median(each.engine for each in taken) * 1e3:.1f} ms"),
    ]
    notes = (f"The median of {ROUNDS} imports, one after the other, each polled every {POLLED_EVERY * 1e3:.0f} ms.",)
    return Section("A small import alone", rows, notes)


def posted(service: Service, key: str, sample: files.Sample, number: int) -> list[str]:
    """Posts a file so many times at once, each from a thread and on a connection of its own."""
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda _: Client(service, key).post(sample), range(number)))
