"""Where the rows of a sync go: the overlay of its run, type by type."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from app.formats.records import Position
from app.imports.merging.batch_merge import PreparedBatch, merge_batch, prepare_batch, stage_batch
from app.imports.plan import Options
from app.imports.rows import BatchOutcome, CheckedBatch
from app.runs.changes.undoable import is_noted
from app.runs.model import Run
from app.storage.database import Session
from app.storage.merge import EPOCH, MergeTarget
from app.storage.staging import table as staging

ITEMS: Final = "items"
PRICES: Final = "item-prices"
PRICE_LISTS: Final = "price-lists"
CLASSES: Final = "item-classes"
VALUES: Final = "item-class-values"
# In the order in which they are applied, which is the same in all syncs, so that two of them never wait for each other.
TYPES: Final = (CLASSES, VALUES, PRICES, ITEMS, PRICE_LISTS)
OPTIONS: Final = Options()


@dataclass(frozen=True, slots=True)
class Targets:
    """`run` is where the items go; the other types differ in their names."""

    run: MergeTarget
    replaces: bool  # what no row names is removed

    def of(self, type: str, *, flat: bool = True) -> MergeTarget:
        """`flat`: what is merged holds no list and no object."""
        return replace(self.run, type=type, flat=flat)


def build_targets(run: Run, *, replaces: bool, record_bytes: int) -> Targets:
    items = MergeTarget(
        account_id=run.account_id,
        type=ITEMS,
        run_id=run.id,
        run_seq=run.seq,
        mode="overwrite",
        marks_several=True,
        record_bytes=record_bytes,
        staged=True,
        noted=is_noted(run),
    )
    return Targets(items, replaces)


def prepare(checked: CheckedBatch, type: str) -> PreparedBatch:
    """Does what can be done before the transaction. In an overlay moments count from the epoch. Blocking."""
    return prepare_batch(checked, EPOCH + timedelta(microseconds=checked.start.row + 1), type, {})


def build_batch(records: Iterable[tuple[str, int, int, str]], start: Position) -> CheckedBatch:
    """A batch of records that need no check: key, row, line and JSON text."""
    batch = CheckedBatch(start, start, False)
    for key, row, line, data in records:
        batch.keys.append(key)
        batch.rows.append(row)
        batch.lines.append(line)
        batch.data.append(data)
    return batch


async def merge_into(session: Session, target: MergeTarget, prepared: PreparedBatch) -> BatchOutcome:
    """Merges a batch of one type, and leaves the staging table empty for the next."""
    if not prepared.checked.keys:
        checked = prepared.checked
        return BatchOutcome(failed=checked.failed, problems=list(checked.problems), warnings=list(checked.warnings))
    await stage_batch(session, prepared)
    outcome = await merge_batch(session, target, prepared, OPTIONS)
    await staging.clear_staging(session)
    return outcome


def find_changed(outcomes: Sequence[BatchOutcome]) -> set[int]:
    """The rows that have created or changed something."""
    return {row for outcome in outcomes for row in (*outcome.created_rows, *outcome.updated_rows)}
