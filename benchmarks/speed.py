"""The same file by psql and through the service, side by side: new, again, and with one column changed."""

from dataclasses import dataclass

from benchmarks import files, floor
from benchmarks.memory import MOST_API, MOST_WORKER, Peaks, peaks, reset
from benchmarks.ours import Client, Timing
from benchmarks.report import Row, Section, against, at_most
from benchmarks.service import Service

ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    most: float  # of the floor's time that the service may take
    changed: bool = False  # whether the file with the changed column is loaded
    noted: bool = True  # for an undo, which psql has not


PARTS = (
    Part("first load", 0.80),
    Part("same file again", 0.55),
    Part("one column changed in all rows", 0.90, changed=True),
    Part("one column changed again, without notes for an undo", 0.90, noted=False),
)
# Seconds that psql took, the service's timing and its memory, of one part in one round.
Pair = tuple[float, Timing, Peaks]


def speed(service: Service, sample: files.Sample, changed: files.Sample) -> Section:
    kind = sample.kind
    parts = [each for each in PARTS if each.noted or kind.surface.unnoted]
    samples = {each: changed if each.changed else sample for each in parts}
    rounds = [one_round(service, samples, number) for number in range(ROUNDS)]
    taken = {part: [each[part] for each in rounds] for part in parts}
    highest = Peaks(
        worker=max(each.worker for pairs in taken.values() for *_, each in pairs),
        api=max(each.api for pairs in taken.values() for *_, each in pairs),
    )
    rows = [row for part, pairs in taken.items() for row in rows_of(part, pairs)]
    rows.append(at_most("Worker memory, most", highest.worker, MOST_WORKER, unit="MB"))
    rows.append(at_most("API memory, most", highest.api, MOST_API, unit="MB"))
    notes = (
        f"{sample.rows:,} rows, {sample.size:,} bytes, {len(kind.columns)} {kind.form}, keys in random order.",
        "The floor is `\\copy` and one INSERT … ON CONFLICT DO UPDATE in psql.",
        f"Ours is from the first byte of the POST to `{kind.surface.done}`, as seen by polling every 50 ms.",
        f"The better of {ROUNDS} rounds on emptied tables; floor and ours take turns at going first.",
        "VACUUM and CHECKPOINT before each part.",
        *(f"{part.name.capitalize()}: {told(pairs)}" for part, pairs in taken.items()),
    )
    return Section(f"{kind.name.capitalize()} beside psql", rows, notes)


def one_round(service: Service, samples: dict[Part, files.Sample], number: int) -> dict[Part, Pair]:
    kind = next(iter(samples.values())).kind
    key = service.key(f"{kind.name}-{number}")
    floor.fresh(service.instance.database_url)
    pairs = {}
    for part, sample in samples.items():
        client = Client(service, key, kind if part.noted else kind.without_notes())
        pairs[part] = pair(service, client, sample, floor_first=not number % 2)
    return pairs


def pair(service: Service, client: Client, sample: files.Sample, *, floor_first: bool) -> Pair:
    url = service.instance.database_url
    by_hand = by_psql(url, sample) if floor_first else 0.0
    floor.settled(url)
    reset(service)
    timing = client.timed(sample)
    memory = peaks(service)
    return by_hand or by_psql(url, sample), timing, memory


def by_psql(url: str, sample: files.Sample) -> float:
    floor.settled(url)
    return floor.loaded(url, sample)


def rows_of(part: Part, pairs: list[Pair]) -> list[Row]:
    best = min((timing for _, timing, _ in pairs), key=lambda timing: timing.total)
    figure = f"upload {best.upload:.2f} s, engine {best.engine:.2f} s"
    return [
        against(part.name.capitalize(), min(seconds for seconds, *_ in pairs), best.total, most=part.most),
        Row("… of which", figure=figure),
    ]


def told(pairs: list[Pair]) -> str:
    floors = ", ".join(f"{seconds:.2f}" for seconds, *_ in pairs)
    ours = ", ".join(f"{timing.total:.2f}" for _, timing, _ in pairs)
    counts = {name: count for name, count in pairs[0][1].counts.items() if count}
    return f"floor {floors} s; ours {ours} s; {counts}"
