"""Merges a checked batch into the records, and explains the rows that the merge left alone.

PostgreSQL refuses to update one key twice in a single INSERT … ON CONFLICT. So the first rows of all keys are merged as
a set, and the later ones are applied one after the other (`repeated_keys.py`).
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.imports.merging.expectations import expect_hidden
from app.imports.merging.references import (
    NamedRecords,
    find_key_forms,
    find_missing,
    look_up_references,
    write_references,
)
from app.imports.merging.repeated_keys import (
    apply_repeated_keys,
    build_conflict,
    build_too_large,
    note_repeated_key,
)
from app.imports.plan import Options
from app.imports.rows import BatchOutcome, CheckedBatch, RepeatedKey
from app.problems import PROBLEMS, Problem
from app.resources.sizes import is_longer
from app.resources.stored_keys import KeyForms
from app.runs.summary import RunWarning
from app.storage import merge, records
from app.storage.applying import closing
from app.storage.applying.left_alone import find_left_alone
from app.storage.applying.removal import name_many_keys
from app.storage.database import Session
from app.storage.journal.writer import tell_journal
from app.storage.merge import MergeTarget
from app.storage.overlays.view import use_indexes
from app.storage.staging import table as staging


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A checked batch, and its COPY text when it can be merged as it is, which is the usual case."""

    checked: CheckedBatch
    copy_text: bytes | None
    created_at: datetime  # of the record of its first row, should that row create one
    sees_records: bool  # what becomes of its rows depends on records that earlier rows may have written

    def build_target(self, run_target: MergeTarget) -> MergeTarget:
        """Where this batch of the run goes. The times of an overlay only count rows, until it is applied."""
        if run_target.staged:
            return run_target
        return replace(run_target, created_at=self.created_at, first_row=self.checked.start.row + 1)


def prepare_batch(
    checked: CheckedBatch, created_at: datetime, type: str, key_forms: Mapping[str, KeyForms]
) -> PreparedBatch:
    """Does what can be done before the transaction. `key_forms` says how the records of each type are named that a
    record of this `type` may name. Blocking."""
    find_key_forms(checked, key_forms)
    simple = not checked.incomplete and not checked.must_exist and len(set(checked.keys)) == len(checked.keys)
    sees_records = not simple or any(column.type == type for column in checked.references)
    copy_text = None
    if simple and not checked.references:
        copy_text = staging.format_copy_text(checked.keys, checked.rows, checked.data)
    return PreparedBatch(checked, copy_text, created_at, sees_records)


async def stage_batch(session: Session, prepared: PreparedBatch) -> None:
    """Sends the batch to PostgreSQL, as far as that is possible before the previous batch is merged."""
    if prepared.copy_text:
        await staging.stage(session, prepared.copy_text)


async def merge_batch(
    session: Session, run_target: MergeTarget, prepared: PreparedBatch, options: Options
) -> BatchOutcome:
    """Merges a batch that `stage_batch` has seen, in the caller's transaction."""
    checked, target = prepared.checked, prepared.build_target(run_target)
    outcome = BatchOutcome(failed=checked.failed, problems=list(checked.problems), warnings=list(checked.warnings))
    if target.staged:
        await use_indexes(session)
    elif target.run_id is not None:
        await closing.enter_type(session, target.account_id, target.type)
        if not target.noted:
            await tell_journal(session, kept=False)
    if checked.keys:
        others = await closing.find_other_imports(session, target)
        await BatchMerge(session, target, checked, outcome, options, others).merge_rows(prepared.copy_text)
    if target.names_keys:
        # Where every row has written a record of its own, the overlay has all of their keys.
        unwritten = outcome.created + outcome.updated < len(checked.keys)
        if named := {*checked.failed_keys, *(checked.keys if unwritten else ())}:
            await name_many_keys(session, target, named, first_row=checked.start.row)
    return outcome


async def fail_unfit_rows(
    session: Session, target: MergeTarget, checked: CheckedBatch, outcome: BatchOutcome
) -> list[int]:
    """Fails incomplete rows whose record does not exist, neither in the store nor in the batch before them, and rows
    that name such a record. Returns the indexes of the other rows."""
    keys = [checked.keys[index] for index in checked.incomplete.keys() | checked.must_exist]
    existing, account_id, overlay = set[str](), target.account_id, target.overlay
    if keys:
        existing = await records.find_existing_keys(session, account_id, target.type, keys, overlay=overlay)
    named = await look_up_references(session, target, checked)
    return await asyncio.to_thread(sort_out_rows, target, checked, outcome, existing, named)


def sort_out_rows(
    target: MergeTarget, checked: CheckedBatch, outcome: BatchOutcome, existing: set[str], named: NamedRecords
) -> list[int]:
    """`existing` are keys of the type that are locked. Blocking."""
    kept: list[int] = []
    for index, key in enumerate(checked.keys):
        problems = [] if key in existing else checked.find_obstacles(index)
        if checked.references:
            problems += write_references(checked, index, named)
            problems += find_too_large(target, checked, index)
            problems += find_missing(checked, index, named) if key not in existing else ()
        if problems:
            outcome.problems.extend(problems)
            outcome.failed += 1
            continue
        named.add(key, checked.data[index], written=key not in existing or target.mode == "overwrite")
        existing.add(key)
        kept.append(index)
    return kept


def find_too_large(target: MergeTarget, checked: CheckedBatch, index: int) -> Iterator[Problem]:
    """Rows were measured without the keys of other records."""
    if target.record_bytes is not None and is_longer(checked.data[index], target.record_bytes):
        yield build_too_large(target, checked, checked.rows[index], checked.lines[index])


def split_repeated_keys(checked: CheckedBatch, kept: Sequence[int]) -> tuple[list[int], list[tuple[int, int]]]:
    """The first row of each key, and (row, first row of the same key) for the others; all as indexes."""
    firsts: dict[str, int] = {}
    repeats: list[tuple[int, int]] = []
    for index in kept:
        first = firsts.setdefault(checked.keys[index], index)
        if first != index:
            repeats.append((index, first))
    return list(firsts.values()), repeats


def format_rows(checked: CheckedBatch, indexes: Sequence[int]) -> bytes:
    return staging.format_copy_text(
        keys=[checked.keys[index] for index in indexes],
        rows=[checked.rows[index] for index in indexes],
        data=[checked.data[index] for index in indexes],
    )


@dataclass(slots=True)
class BatchMerge:
    """The merge of a batch, and the explanation of the rows that it left alone. `others` is what is known of other
    imports of the type."""

    session: Session
    target: MergeTarget
    checked: CheckedBatch
    outcome: BatchOutcome
    options: Options
    others: Mapping[Any, Any]
    _line_of: Mapping[int, int] | None = None

    async def merge_rows(self, copy_text: bytes | None) -> None:
        """Merges all good rows. With a `copy_text` they are staged already."""
        session, target, checked = self.session, self.target, self.checked
        # What is gone does not have to be removed.
        replaced = (self.others["replaced"] or self.others["removed_by"]) and not target.removes
        if copy_text is not None and not replaced:
            await self._merge_staged(checked.rows)
            return
        kept = await fail_unfit_rows(session, target, checked, self.outcome)
        if replaced:
            kept = await self._skip_replaced(kept)
        firsts, repeats = split_repeated_keys(checked, kept)
        if repeats:  # the later rows have to find the records of the first ones, so these are locked
            self.target = target = expect_hidden(target)
        if copy_text is not None:
            await staging.clear_staging(session)
        await staging.stage(session, await asyncio.to_thread(format_rows, checked, firsts))
        await self._merge_staged([checked.rows[index] for index in firsts])
        if target.removes:
            self._repeat_removals(repeats)
        elif repeats:
            duplicates = self.options.duplicates
            await apply_repeated_keys(session, target, checked, self.outcome, repeats, duplicates=duplicates)

    def _repeat_removals(self, repeats: Sequence[tuple[int, int]]) -> None:
        """Rows (by index, with the first one of the same key) whose record is as it was for the first one, or is to be
        removed by now. What has kept that one from removing it keeps these."""
        checked, outcome = self.checked, self.outcome
        problem_of = {each.row: each for each in outcome.problems} if repeats else {}
        for index, first in repeats:
            row, problem = checked.rows[index], problem_of.get(checked.rows[first])
            if checked.rows[first] in outcome.skipped_rows:
                self._skip_superseded(row)
            elif problem is not None:
                outcome.failed += 1
                outcome.problems.append(replace(problem, row=row, line=checked.lines[index]))
            else:
                outcome.unchanged += 1

    async def _skip_replaced(self, kept: Sequence[int]) -> list[int]:
        """A later import has replaced all records of the type, or has removed some: skips the rows whose record is not
        there any more for that reason, and returns the others."""
        session, target, keys = self.session, self.target, [self.checked.keys[index] for index in kept]
        account_id, overlay = target.account_id, target.overlay
        existing = await records.find_existing_keys(session, account_id, target.type, keys, overlay=overlay)
        gone = set(keys) - existing
        if not self.others["replaced"]:
            gone = await closing.find_removed_later(session, target, gone, self.others["removed_by"])
        for index in kept:
            if self.checked.keys[index] in gone:
                self._skip_superseded(self.checked.rows[index])
        return [index for index in kept if self.checked.keys[index] not in gone]

    async def _merge_staged(self, rows: Sequence[int]) -> None:
        """Merges the rows with these numbers, which are in the staging table and whose keys are all different."""
        outcome = self.outcome
        # An unchanged row is not written, so an older import that is still open could not see that this one came later.
        # In that case, and where a key may occur only once, every row leaves its mark.
        touch = self.target.unique_keys or self.others["older"]
        merged = await merge.merge(self.session, self.target, rows, touch=touch)
        outcome.created += merged.created
        outcome.updated += merged.updated
        outcome.created_rows += merged.created_rows
        outcome.updated_rows += merged.updated_rows
        self._count_left_alone(merged.touched)
        for earlier_row, row in merged.repeats:
            note_repeated_key(outcome, self._find_repeated_key(earlier_row, row), "last")
        unexplained = len(rows) - merged.created - merged.updated - merged.touched
        if unexplained:
            await self._explain(unexplained, any_too_large=merged.any_too_large)

    async def _explain(self, unexplained: int, *, any_too_large: bool) -> None:
        """Says which of the rows that the merge left alone were superseded, repeated, in conflict or too large.

        What is read here is what the merge saw, or a record that it only looked at and that somebody newer has written
        since: then the row is superseded.
        """
        session, target, outcome = self.session, self.target, self.outcome
        # An import that was accepted since `others` was read may have written, too.
        may_differ = (
            target.unique_keys
            or target.fixed is not None
            or any_too_large
            or (await closing.find_other_imports(session, target))["newer"]
        )
        for left_alone in await find_left_alone(session, target) if may_differ else ():
            row = left_alone["row"]
            if left_alone["superseded"]:
                self._skip_superseded(row)
            elif left_alone["conflict"]:
                outcome.failed += 1
                outcome.problems.append(build_conflict(target, self.checked, row, self._find_line(row) or 0))
            elif left_alone["too_large"]:
                outcome.failed += 1
                outcome.problems.append(build_too_large(target, self.checked, row, self._find_line(row) or 0))
            else:
                repeated = self._find_repeated_key(left_alone["run_row"], row)
                note_repeated_key(outcome, repeated, self.options.duplicates)
            unexplained -= 1
        self._count_left_alone(unexplained)

    def _skip_superseded(self, row: int) -> None:
        self.outcome.skip(row, "superseded")
        self.outcome.warnings.append(RunWarning("superseded", "", PROBLEMS["superseded"], row, self._find_line(row)))

    def _count_left_alone(self, rows: int) -> None:
        """Rows that changed nothing are unchanged, or skipped where existing records are not to be overwritten."""
        if self.target.mode == "keep":
            self.outcome.skipped += rows
        else:
            self.outcome.unchanged += rows

    def _find_repeated_key(self, earlier_row: int, row: int) -> RepeatedKey:
        return RepeatedKey(
            key=self.checked.find_key(row),
            row=row,
            line=self._find_line(row) or 0,
            earlier_row=earlier_row,
            earlier_line=self._find_line(earlier_row),
        )

    def _find_line(self, row: int) -> int | None:
        """The physical line of one of the batch's rows; None for a row of an earlier batch."""
        if self._line_of is None:
            self._line_of = dict(zip(self.checked.rows, self.checked.lines, strict=True))
        return self._line_of.get(row)
