"""Records that several rows of a sync name: what they come to together counts, and people are told of items.

The row of a later file wins. A record that an earlier file changes, and a later one changes back, is unchanged, and so
are the rows that have done it.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from app.imports.rows import RepeatedKey
from app.problems import shorten
from app.runs.lifecycle import RunLost
from app.runs.model import Run
from app.runs.summary import RunWarning
from app.storage import batches
from app.storage.applying.removal import name_keys
from app.storage.catalogue.repeats import SETTLED, find_idle, restore_unchanged
from app.storage.database import Session
from app.syncs.writing.reading import Reading
from app.syncs.writing.report import Counts
from app.syncs.writing.targets import ITEMS, PRICES, VALUES, Targets

COUNTED: Final = (ITEMS, PRICES, VALUES)  # the types by which rows count as updated
REPEATED: Final = "Item `{item}` is in row {earlier} of `{earlier_file}` and in row {row} of `{file}`. The later counts"


def describe_repeats(reading: Reading, repeated: Iterable[RepeatedKey]) -> Iterator[RunWarning]:
    """A warning for each later row of an item. Rows are counted in their files."""
    for each in repeated:
        (earlier_file, earlier), (file, row) = find_row(reading, each.earlier_row), find_row(reading, each.row)
        message = REPEATED.format(
            item=shorten(each.key), earlier=earlier, earlier_file=earlier_file, row=row, file=file
        )
        yield RunWarning("duplicate_key", "", message, each.row, each.line)


def find_row(reading: Reading, row: int) -> tuple[str, int]:
    """The file in which a row of the run is, and its number there."""
    file = reading[bisect_left(reading, row, key=lambda each: each.first_row) - 1]
    return file.path, row - file.first_row


async def settle_rows(session: Session, targets: Targets, rows: Iterable[int]) -> None:
    """Keeps the outcome of rows that would count otherwise than by the records that they change."""
    if named := [str(row) for row in rows]:
        await name_keys(session, targets.of(SETTLED), named)


async def restore_repeated(session: Session, run: Run, targets: Targets, counts: Counts) -> None:
    """Counts what rows come to together, once all of them are staged. Raises RunLost."""
    rows = set[int]()
    for each in COUNTED:
        restored = await restore_unchanged(session, targets.of(each))
        counts.of(each)["unchanged"] += len(restored)
        rows.update(*restored)
    if not rows:
        return
    idle = await find_idle(session, targets.run, sorted(rows), COUNTED)
    starts = await batches.list_starts(session, run.id)
    moved = {
        number: {"created": 0, "updated": -count, "unchanged": count, "skipped": 0}
        for number, count in Counter(bisect_left(starts, row) for row in idle).items()
    }
    values = {"removed": None, "warnings": json.dumps(list(run.warnings))}
    if not await batches.recount(session, run.id, run.attempt, moved, values):
        raise RunLost
