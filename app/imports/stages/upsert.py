"""Writes a checked batch into the records and says, row by row where needed, what became of it.

PostgreSQL refuses to update one key twice in a single INSERT … ON CONFLICT, so the first row of each key is merged as a
set, and the later ones (`repeats`) are applied one after the other to what the store then holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.imports.plan import Options
from app.imports.repeats import Repeat, apply_repeats, note_repeat
from app.imports.rows import CheckedBatch, Outcome, Warned
from app.problems import PROBLEMS, Problem
from app.storage import merge, records
from app.storage.database import Session
from app.storage.merge import MergeTarget


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked batch, and its COPY text when the batch can be merged as it stands (the usual case)."""

    checked: CheckedBatch
    lines: bytes | None
    born_at: datetime  # when its first row is made, should it make a record

    def target(self, run: MergeTarget) -> MergeTarget:
        """Where this batch of the run goes."""
        return replace(run, born_at=self.born_at, born_row=self.checked.start.row + 1)


def prepare(checked: CheckedBatch, born_at: datetime) -> Prepared:
    """What can be done before the transaction, in a thread of its own."""
    simple = not checked.incomplete and len(set(checked.keys)) == len(checked.keys)
    return Prepared(checked, merge.copy_lines(checked.keys, checked.rows, checked.data) if simple else None, born_at)


async def stage(session: Session, prepared: Prepared) -> None:
    """Sends the batch to PostgreSQL, as far as it can be sent before the batch before it is merged."""
    if prepared.lines:
        await merge.stage(session, prepared.lines)


async def beside(session: Session, target: MergeTarget) -> bool:
    """Whether another import of the same type is open."""
    return bool((await merge.other_runs(session, target))["beside"])


async def write(session: Session, run: MergeTarget, prepared: Prepared, options: Options) -> Outcome:
    """Merges a batch that `stage` has seen, inside the caller's transaction."""
    checked, target = prepared.checked, prepared.target(run)
    outcome = Outcome(failed=checked.failed, problems=list(checked.problems), warnings=list(checked.warnings))
    if not checked.keys:
        return outcome
    merging = Merging(session, target, checked, outcome, options)
    if prepared.lines is not None:
        await merging.merge(len(checked.keys))
        return outcome
    keep = await creatable(session, target, checked, outcome)
    firsts, repeats = split(checked, keep)
    await merge.stage(session, lines_of(checked, firsts))
    await merging.merge(len(firsts))
    if repeats:
        await apply_repeats(session, target, checked, outcome, repeats, duplicates=options.duplicates)
    return outcome


async def creatable(session: Session, target: MergeTarget, checked: CheckedBatch, outcome: Outcome) -> list[int]:
    """The rows without those that lack a required value and whose record is not there to be updated."""
    lacking = [checked.keys[index] for index in checked.incomplete]
    there = await records.existing(session, target.account_id, target.type, lacking) if lacking else set()
    keep: list[int] = []
    for index, key in enumerate(checked.keys):
        if index in checked.incomplete and key not in there:
            outcome.problems.extend(checked.incomplete[index])
            outcome.failed += 1
            continue
        there.add(key)
        keep.append(index)
    return keep


def split(checked: CheckedBatch, keep: Sequence[int]) -> tuple[list[int], list[tuple[int, int]]]:
    """The first row of each key, and (row, first row of the same key) for the others; all as indexes."""
    firsts: dict[str, int] = {}
    repeats: list[tuple[int, int]] = []
    for index in keep:
        first = firsts.setdefault(checked.keys[index], index)
        if first != index:
            repeats.append((index, first))
    return list(firsts.values()), repeats


def lines_of(checked: CheckedBatch, indexes: Sequence[int]) -> bytes:
    return merge.copy_lines(*([each[i] for i in indexes] for each in (checked.keys, checked.rows, checked.data)))  # type: ignore[arg-type]


@dataclass(slots=True)
class Merging:
    """One merge of rows whose keys differ, and the explanation of those that it left alone."""

    session: Session
    target: MergeTarget
    checked: CheckedBatch
    outcome: Outcome
    options: Options
    _lines: Mapping[int, int] | None = None

    async def merge(self, staged: int) -> None:
        """Merges the `staged` rows."""
        outcome = self.outcome
        # An unchanged row is not written, so an older import that still runs would not know that this one has spoken:
        # then, and where a key may come only once, every row leaves its mark.
        touch = self.target.once or (await merge.other_runs(self.session, self.target))["older"]
        done = await merge.merge(self.session, self.target, touch=touch)
        outcome.created += done.created
        outcome.updated += done.updated
        outcome.new_rows += done.new_rows
        if self.target.mode == "keep":
            outcome.skipped += done.touched
        else:
            outcome.unchanged += done.touched
        for earlier, later in done.repeats:
            note_repeat(outcome, self.repeat(earlier, later), "last")
        rest = staged - done.created - done.updated - done.touched
        if rest:
            await self.explain(rest)

    async def explain(self, rest: int) -> None:
        """Says of `rest` rows that the merge left alone which were superseded, repeated or in conflict. The others are
        unchanged, or skipped where existing records are not to be overwritten.

        The merge has locked every record that it looked at, so what is read here is what it saw.
        """
        target, outcome = self.target, self.outcome
        asked = target.once or target.fixed is not None or (await merge.other_runs(self.session, target))["newer"]
        for row in await merge.left_alone(self.session, target) if asked else ():
            number = row["row"]
            if row["superseded"]:
                outcome.skipped += 1
                outcome.left_rows.append(number)
                outcome.warnings.append(Warned("superseded", "", PROBLEMS["superseded"], number, self.line(number)))
            elif row["conflict"]:
                told = PROBLEMS["conflict"].format(field=target.fixed)
                outcome.failed += 1
                place = self.line(number) or 0, number
                named = self.checked.called(number)
                outcome.problems.append(Problem(*place, None, target.fixed, "conflict", told, None, named))
            else:
                note_repeat(outcome, self.repeat(row["run_row"], number), self.options.duplicates)
            rest -= 1
        if target.mode == "keep":
            outcome.skipped += rest
        else:
            outcome.unchanged += rest

    def repeat(self, earlier: int, later: int) -> Repeat:
        return Repeat(later, self.line(later) or 0, earlier, self.line(earlier))

    def line(self, row: int) -> int | None:
        """The physical line of one of the batch's rows; None for a row of an earlier batch."""
        if self._lines is None:
            self._lines = dict(zip(self.checked.rows, self.checked.lines, strict=True))
        return self._lines.get(row)
