"""A replacement, which is staged and applied in one transaction, beside the same import written directly."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks import files, floor
from benchmarks.kinds import CONTACTS
from benchmarks.memory import MOST_WORKER, Peaks, peaks, reset
from benchmarks.ours import PATIENCE, PAUSE, Client
from benchmarks.report import Row, Section, against, at_most
from benchmarks.service import Service

PARTS = ("first load", "same file again", "one column changed in all rows")
MOST = 1.5  # times the direct import
FIELDS = {"replace": "true", "maxRemovedShare": "1"}
REPLACEMENT = replace(CONTACTS, surface=replace(CONTACTS.surface, fields={**CONTACTS.surface.fields, **FIELDS}))


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds from the first byte to the end, and of those the seconds in which the overlay was applied."""

    run: str
    total: float
    applying: float
    memory: Peaks


def staged(service: Service, sample: files.Sample, changed: files.Sample) -> Section:
    samples = dict(zip(PARTS, (sample, sample, changed), strict=True))
    direct = load(service, Client(service, service.key("direct")), samples)
    ours = load(service, Client(service, service.key("replacement"), REPLACEMENT), samples)
    rows: list[Row] = []
    for part in PARTS:
        rows.append(against(part.capitalize(), direct[part].total, ours[part].total, most=MOST))
        rows.append(Row("… of which the overlay was applied", figure=f"{ours[part].applying:.2f} s"))
    rows.append(
        at_most("Worker memory, most", max(each.memory.worker for each in ours.values()), MOST_WORKER, unit="MB")
    )
    notes = (
        f"{sample.rows:,} rows, {sample.size:,} bytes, {len(CONTACTS.columns)} {CONTACTS.form}, keys in random order.",
        "The floor is the same file imported without `replace`. VACUUM and CHECKPOINT before each part.",
    )
    return Section("A replacement beside a direct import", rows, notes)


def load(service: Service, client: Client, samples: dict[str, files.Sample]) -> dict[str, Taken]:
    url = service.instance.database_url
    floor.fresh(url)
    taken = {}
    for part, sample in samples.items():
        floor.settled(url)
        reset(service)
        taken[part] = timed(service, client, sample)
    return taken


def timed(service: Service, client: Client, sample: files.Sample) -> Taken:
    """Imports a file. Raises RuntimeError unless it ends well."""
    return timed_run(service, client, lambda: client.post(sample))


def timed_run(service: Service, client: Client, begin: Callable[[], str]) -> Taken:
    """`begin` starts the run, and returns its id. Raises RuntimeError unless it ends well."""
    began = time.perf_counter()
    run, applied = begin(), 0.0
    while time.perf_counter() - began < PATIENCE:
        told = client.fetch(f"/runs/{run}")
        if told["step"] == "apply":
            applied = applied or time.perf_counter()
        if told["status"] not in ("queued", "running"):
            break
        time.sleep(PAUSE)
    ended = time.perf_counter()
    if told["status"] != "finished":
        raise RuntimeError(f"the {told['kind']} ended badly: {told}")
    return Taken(run, ended - began, ended - applied if applied else 0.0, peaks(service))
