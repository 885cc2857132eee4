"""The files that are imported: invented rows, always the same bytes, keys in random order."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kinds import CONTACTS, Kind

SEED = 20_240_501


@dataclass(frozen=True, slots=True)
class Sample:
    """A file that can be imported."""

    kind: Kind
    path: Path
    rows: int

    @property
    def size(self) -> int:
        return self.path.stat().st_size


def make(folder: Path, rows: int, kind: Kind = CONTACTS, *, changed: bool = False) -> Sample:
    """Writes a file of so many rows, unless it is there. With `changed` only the last column differs, in every row."""
    path = folder / f"{kind.name}-{rows}{'-changed' if changed else ''}.{kind.suffix}"
    if not path.exists():
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(kind.head)
            file.writelines(lines(kind, rows, changed=changed))
    return Sample(kind, path, rows)


def lines(kind: Kind, rows: int, *, changed: bool) -> Iterator[str]:
    chance = random.Random(SEED)
    numbers = list(range(rows))
    chance.shuffle(numbers)
    for number in numbers:
        yield kind.line(kind.row(chance, number, changed))
