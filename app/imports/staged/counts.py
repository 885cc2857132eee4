"""What rows of a staged import come to when it is applied, where that is not what they came to when it was staged."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.errors import Fatal
from app.imports.rows import BatchOutcome
from app.problems import WARNINGS
from app.runs import ledger
from app.runs.ledger import Fate
from app.runs.lifecycle import RunLost
from app.runs.model import Run
from app.runs.summary import RunWarning, add_warnings
from app.storage import batches, runs
from app.storage.applying.apply import Again
from app.storage.batches import MOVABLE
from app.storage.database import ReadSession, Session
from app.storage.merge import Mode

COUNTS = ("created", "updated", "unchanged", "skipped", "failed")
# Why rows are skipped after all, by the fate of their record: codes of warnings.
SKIPPED = {"superseded": "superseded", "deleted": "deleted_meanwhile", "held": "changed_meanwhile"}


WRITTEN = ("new", "changed")  # fates of records that are written all the same


def counts_of(outcome: BatchOutcome) -> dict[str, int]:
    return {name: getattr(outcome, name) for name in COUNTS}


@dataclass(slots=True)
class Recount:
    """Rows whose outcome is another one by now. `starts` says how many rows come before each batch, `warnings` are
    those of the run."""

    mode: Mode
    starts: Sequence[int]
    warnings: list[dict[str, Any]]
    moved: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: dict.fromkeys(MOVABLE, 0)))
    letters: dict[int, bytearray] = field(default_factory=lambda: defaultdict(bytearray))  # of the rows; 0: not moved
    changed: int = 0  # records of which it would make something else than it has shown

    def note(self, changed: Sequence[Again]) -> None:
        for again in changed:
            self.changed += bool(again.rows) or again.fate in WRITTEN
            for row, before, after in list_moves(again, self.mode):
                number, code = bisect_left(self.starts, row), SKIPPED.get(again.fate, "")
                self.moved[number][before] -= 1
                self.moved[number][after] += 1
                self._mark(number, row, Fate(after, code))
                if code:
                    add_warnings(self.warnings, [RunWarning(code, "", WARNINGS[code], row)])

    def _mark(self, number: int, row: int, fate: Fate) -> None:
        """In a byte for each row: all rows of a large file may have moved."""
        letters, first_row = self.letters[number], self.starts[number - 1] + 1
        letters.extend(bytes(max(0, row - first_row + 1 - len(letters))))
        ledger.mark(letters, [row], fate, first_row=first_row)

    async def pack_letters(self, session: ReadSession, run_id: str) -> dict[int, bytes]:
        """What has become of all rows of each batch that has any which moved, by its number."""
        packed = {}
        for number, moved in self.letters.items():
            (batch,) = await batches.from_number(session, run_id, since=number, limit=1)
            letters = ledger.unpack(batch)
            now = bytes(new or old for new, old in zip(moved, letters, strict=False))
            packed[number] = ledger.pack(now + letters[len(moved) :])
        return packed


def list_moves(again: Again, mode: Mode) -> Iterator[tuple[int, str, str]]:
    """(row, outcome when it was staged, outcome now) of the rows of a record whose outcome is another one."""
    written = again.fate in WRITTEN
    if not again.rows:
        if written:
            yield again.row, "unchanged", "updated"
    elif not written:
        outcome = "unchanged" if again.fate == "same" and mode != "keep" else "skipped"
        for index, row in enumerate(again.rows):
            yield row, "created" if again.was_new and index == 0 else "updated", outcome
    elif again.was_new and again.fate == "changed":
        yield again.rows[0], "created", "updated"


def describe_difference(shown: Run, now: Mapping[str, Any], changed: int) -> str:
    """What a run would do now, where that is not what it was shown to do. `changed`: of how many records it would make
    something else."""
    words = {"created": "created", "updated": "removed" if shown.options.get("deletes") else "changed"}
    differing = [
        f"{word}: {now[name]:,} instead of {getattr(shown, name):,}"
        for name, word in (words if shown.options.get("deletes") else words | {"removed": "removed"}).items()
        if now[name] != getattr(shown, name)
    ]
    told = f"Records that would be {', '.join(differing)}" if differing else "The counts are the same"
    records = "1 record that it would write" if changed == 1 else f"{changed:,} records that it would write"
    return f"Others have changed {records if changed else 'records'} since this was shown. {told}"


async def ensure_counts(session: Session, run: Run) -> dict[str, Any]:
    """The run's row, whose batches add up to what was accepted. Raises Fatal if they do not, RunLost if there is no
    such run."""
    row = await runs.get(session, run.account_id, run.id)
    sums = await batches.sums(session, run.id)
    if row is None:
        raise RunLost
    if any(row[name] != sums[name] for name in COUNTS) or row["total"] != sum(sums[name] for name in COUNTS):
        raise Fatal("count_mismatch")
    return dict(row)
