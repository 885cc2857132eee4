"""An import with a mapping beside the same one without: a mapping that converts nothing, and one that does."""

from pathlib import Path

from benchmarks import files, floor
from benchmarks.kinds import PRICES, PRICES_CONVERTED, PRICES_MAPPED, Kind
from benchmarks.ours import Client, Timing
from benchmarks.report import Row, Section, against
from benchmarks.service import Service

ROUNDS = 3
WITHOUT = "Without a mapping"
KINDS = {
    WITHOUT: PRICES,
    "A mapping that converts nothing": PRICES_MAPPED,
    "A date and a decimal comma are converted": PRICES_CONVERTED,
}
# How much of the time without a mapping each may take.
MOST = {"A mapping that converts nothing": 1.10, "A date and a decimal comma are converted": 1.25}


def mappings(service: Service, folder: Path, rows: int) -> Section:
    samples = {name: files.make(folder, min(rows, kind.most), kind) for name, kind in KINDS.items()}
    taken: dict[str, list[Timing]] = {name: [] for name in KINDS}
    for number in range(ROUNDS):
        for name in (*KINDS, *KINDS)[number : number + len(KINDS)]:
            taken[name].append(load(service, KINDS[name], samples[name], account=f"mappings-{number}-{len(name)}"))
    best = {name: min(timings, key=lambda timing: timing.total) for name, timings in taken.items()}
    measured: list[Row] = []
    for name, most in MOST.items():
        measured.append(against(name, best[WITHOUT].total, best[name].total, most=most))
        measured.append(Row("… of which", figure=f"upload {best[name].upload:.2f} s, engine {best[name].engine:.2f} s"))
    notes = (
        f"{samples[WITHOUT].rows:,} rows of {len(PRICES.columns)} quoted columns, each time a first load.",
        "The floor is the import without a mapping, of dates and numbers as their fields have them.",
        f"The best of {ROUNDS} rounds, in which they take turns at going first.",
        *(f"{name}: {', '.join(f'{timing.total:.2f}' for timing in timings)} s" for name, timings in taken.items()),
    )
    return Section("Imports with a mapping", measured, notes)


def load(service: Service, kind: Kind, sample: files.Sample, *, account: str) -> Timing:
    url = service.instance.database_url
    client = Client(service, service.key(account), kind)
    floor.fresh(url)
    floor.settled(url)
    return client.timed(sample)
