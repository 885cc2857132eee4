"""What a service with one record type holds in memory after imports, undos and single writes: the prediction of a walk.

It is written from what the documentation promises (ADR 5, 47, 52 and 61), record by record and row by row, without
batches that overlap, statements or locks. Times are numbers that rise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

Data = dict[str, str]
Mode = Literal["overwrite", "fill", "keep", "remove"]
COUNTS = ("created", "updated", "unchanged", "skipped", "failed")
BATCH_ROWS = 2


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file. A blank cell leaves the field as it is."""

    key: str
    name: str
    size: str

    @property
    def given(self) -> Data:
        return {"sku": self.key} | {n: v for n, v in (("name", self.name), ("size", self.size)) if v}


@dataclass(slots=True)
class Stored:
    """A record: what wrote it, which place in the order of writes it bears, and when it last changed."""

    data: Data
    run: str | None
    seq: int
    at: int


@dataclass(frozen=True, slots=True)
class Noted:
    """A change of a record, with what was there before it."""

    at: int
    key: str
    outcome: str
    run: str | None
    before: Data | None = None
    before_run: str | None = None
    before_seq: int = 0


@dataclass(slots=True)
class Staged:
    """A record of an overlay. `base` is when the record beneath had last changed; None: there was none."""

    data: Data
    incoming: Data
    base: int | None
    rows: list[int]
    row: int


@dataclass(slots=True)
class Run:
    """An import or an undo, as polls show it."""

    id: str
    seq: int
    kind: str = "import"
    rows: Sequence[Row] = ()
    mode: Mode = "overwrite"
    on_error: str = "continue"
    dry: bool = False
    staged: bool = False
    replace: bool = False
    brakes: Mapping[str, float] = field(default_factory=dict)
    sizes: frozenset[str] = frozenset()
    parent: str = ""
    state: str = "queued"
    code: str | None = None
    at: int = 0
    step: str = "write"
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    total: int = 0
    removed: int | None = None
    released: bool = False
    undone_by: str | None = None
    failed_rows: list[Row] = field(default_factory=list)
    outcomes: dict[int, str] = field(default_factory=dict)  # of the rows that are looked at
    overlay: dict[str, Staged] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    superseded: set[str] = field(default_factory=set)  # keys of staged rows whose record a later one had written
    told: list[str] = field(default_factory=list)  # states of which webhooks are told
    is_retry: bool = False
    again: list[tuple["Run", list[int]]] = field(default_factory=list)  # retries, and which failed rows each has

    @property
    def done(self) -> bool:
        return self.state in ("finished", "failed", "cancelled")

    @property
    def held(self) -> bool:
        return self.state in ("planned", "halted")

    @property
    def kept(self) -> int:
        """How many of its rows nobody else may have: all, unless it did not come to them or has not written them."""
        if not self.done or (self.state == "finished"):
            return self.total
        return 0 if self.staged else self.at

    @property
    def good(self) -> int:
        return sum(self.counts[name] for name in COUNTS if name != "failed")

    @property
    def remaining(self) -> int:
        return self.total - sum(self.counts.values())

    def reach(self, state: str, code: str | None = None) -> None:
        self.state, self.code = state, code
        self.told.append(state)
        if self.done and state != "finished" and (self.staged or self.replace):
            self.counts |= dict.fromkeys(COUNTS[:-1], 0)
            self.removed = None if self.removed is None else 0


def merge(held: Data, given: Data, mode: Mode) -> Data:
    if mode == "keep":
        return held
    return held | given if mode == "overwrite" else held | given | {n: v for n, v in held.items() if v}


class Model:
    """The account."""

    def __init__(self, sizes: Sequence[str]) -> None:
        self.records: dict[str, Stored] = {}
        self.notes: list[Noted] = []
        self.runs: dict[str, Run] = {}
        self.sizes = frozenset(sizes)
        self.clock = count(1)
        self.seqs = count(1)

    # What others may do.

    def accept(self, run: Run) -> Run:
        self.runs[run.id] = run
        self.settle(run)
        return run

    def settle(self, undo: Run) -> None:
        """An undo that is itself undone is none, and so on for what that had undone."""
        while undo.kind == "undo":
            parent = self.runs[undo.parent]
            undos = [each for each in self.runs.values() if each.kind == "undo" and each.parent == parent.id]
            in_force = [each.id for each in undos if each.state != "cancelled" and each.undone_by is None]
            parent.undone_by = in_force[-1] if in_force else None
            undo = parent

    def put(self, row: Row) -> None:
        seq, held = next(self.seqs), self.records.get(row.key)
        if held is None:
            self._write(row.key, row.given, None, seq)
        elif (data := merge(held.data, row.given, "overwrite")) != held.data:
            self._write(row.key, data, None, seq)
        elif self._older_open(seq):
            held.seq = seq

    def delete(self, key: str) -> bool:
        held = self.records.pop(key, None)
        if held is not None:
            self._note(key, "removed", None, held)
        return held is not None

    def cancel(self, run: Run) -> None:
        run.reach("cancelled", "cancelled")
        self.settle(run)

    def resume(self, run: Run) -> None:
        run.state, run.code, run.released = "queued", None, True

    def list_free(self, run: Run) -> list[int]:
        """The places among its failed rows of those that no retry has."""
        taken = self._list_taken(run)
        return [place for place in range(len(run.failed_rows)) if place not in taken]

    def _list_taken(self, run: Run) -> set[int]:
        taken: set[int] = set()
        for retry, places in run.again:
            if self.is_undone(retry):
                failed = [row for row, outcome in sorted(retry.outcomes.items()) if outcome == "failed"]
                taken |= {places[failed[place] - 1] for place in self._list_taken(retry)}
            else:
                taken |= {*places[: retry.kept]}
        return taken

    def is_undone(self, run: Run) -> bool:
        return bool(run.undone_by) and self.runs[run.undone_by or ""].state == "finished"

    def count_noted(self, run: Run) -> int:
        return sum(note.run == run.id for note in self.notes)

    def can_narrow(self) -> bool:
        return not self.records and all(run.done for run in self.runs.values())

    # What a worker does.

    def work(self, run: Run) -> None:
        """One slice, which is one batch."""
        run.state = "running"
        if run.kind == "undo":
            self._undo(run)
        elif run.step == "apply":
            self._apply(run)
        elif run.on_error == "stop":
            self._write_until_failure(run)
        elif self._write_batch(run, run.rows[run.at : run.at + BATCH_ROWS]) and run.at == run.total:
            self._finish(run)

    def _write_until_failure(self, run: Run) -> None:
        rows = run.rows[run.at : run.at + BATCH_ROWS]
        bad = next((place for place, row in enumerate(rows) if self._is_bad(run, row)), None)
        if self._write_batch(run, rows if bad is None else rows[: bad + 1]):
            if bad is not None:
                run.reach("failed", "row_failed")
            elif run.at == run.total:
                self._finish(run)

    def _write_batch(self, run: Run, rows: Sequence[Row]) -> bool:
        """False if a brake has stopped it."""
        kept = ({key: Stored(**_members(each)) for key, each in self.records.items()}, [*self.notes])
        outcomes = {run.at + place + 1: self._merge(run, row, run.at + place + 1) for place, row in enumerate(rows)}
        counts = {name: run.counts[name] + [*outcomes.values()].count(name) for name in COUNTS}
        if not (run.staged or run.replace or run.released) and self._breach(run, counts, 0, 0):
            self.records, self.notes = kept
            run.reach("halted", "brake")
            return False
        run.counts, run.at = counts, run.at + len(rows)
        self._tell_removed(run)
        run.outcomes |= outcomes
        run.failed_rows += [row for row in rows if self._is_bad(run, row)]
        run.named |= {row.key for row in rows}
        return True

    @staticmethod
    def _is_bad(run: Run, row: Row) -> bool:
        return run.mode != "remove" and bool(row.size) and row.size not in run.sizes

    def _merge(self, run: Run, row: Row, number: int) -> str:
        if self._is_bad(run, row):
            return "failed"
        if run.mode == "remove":
            return self._stage_removal(run, row, number)
        return (self._stage if run.staged or run.replace else self._merge_now)(run, row, number)

    def _merge_now(self, run: Run, row: Row, number: int) -> str:
        held = self.records.get(row.key)
        if held is None:
            if self._is_gone(run, row.key):
                return "skipped"
            self._write(row.key, row.given, run.id, run.seq)
            return "created"
        if held.seq > run.seq or run.mode == "keep":
            return "skipped"
        data = merge(held.data, row.given, run.mode)
        if data != held.data:
            self._write(row.key, data, run.id, run.seq)
            return "updated"
        if self._older_open(run.seq):
            held.seq = run.seq
        return "unchanged"

    def _stage(self, run: Run, row: Row, number: int) -> str:
        staged, held = run.overlay.get(row.key), self.records.get(row.key)
        if staged is None and self._is_superseded(run, row.key):
            return "skipped"
        if staged is None and held is None:
            run.overlay[row.key] = Staged(row.given, row.given, None, [number], number)
            return "created"
        if run.mode == "keep":
            return "skipped"
        if staged is None:
            assert held is not None
            data = merge(held.data, row.given, run.mode)
            if data != held.data:
                run.overlay[row.key] = Staged(data, row.given, held.at, [number], number)
                return "updated"
            if self._older_open(run.seq):
                run.overlay[row.key] = Staged(data, row.given, held.at, [], number)
            return "unchanged"
        data = merge(staged.data, row.given, run.mode)
        staged.incoming = merge(staged.incoming, row.given, run.mode)
        changed, staged.data, staged.row = data != staged.data, data, number
        staged.rows += [number] if changed else []
        return "updated" if changed else "unchanged"

    def _is_superseded(self, run: Run, key: str) -> bool:
        """Whether a later write is in the way of a staged row, or was when an earlier row of the run has met it: also
        if the record is deleted by now."""
        held = self.records.get(key)
        if held is None and key not in run.superseded:
            return self._is_gone(run, key)
        if held is not None and held.seq > run.seq:
            run.superseded.add(key)
        return key in run.superseded

    def _stage_removal(self, run: Run, row: Row, number: int) -> str:
        held = self.records.get(row.key)
        if row.key in run.overlay:
            return "unchanged"
        if held is None:
            if self._older_open(run.seq):
                run.overlay[row.key] = Staged({}, {}, None, [], number)
            return "unchanged"
        if held.seq > run.seq:
            return "skipped"
        run.overlay[row.key] = Staged({}, {}, held.at, [number], number)
        return "updated"

    def _tell_removed(self, run: Run) -> None:
        if run.mode == "remove":
            run.removed = run.counts["updated"]

    def _finish(self, run: Run) -> None:
        if not (run.staged or run.replace):
            run.reach("finished")
            return
        removed = len(self.unnamed(run)) if run.replace and run.good else 0
        run.step, run.removed = "apply", removed if run.replace else None
        self._tell_removed(run)
        if run.on_error == "rollback" and run.counts["failed"]:
            run.reach("failed", "rolled_back")
            return
        breach = not run.released and self._breach(run, run.counts, removed, len(self.records))
        if run.dry or breach:
            run.reach("planned" if run.dry else "halted", "brake" if breach else None)

    def _apply(self, run: Run) -> None:
        stale = {key: fate for key, staged in run.overlay.items() if (fate := self._judge(run, key, staged))}
        changed = sum(bool(run.overlay[key].rows) or fate == "changed" for key, fate in stale.items())
        removed = len(self.unnamed(run)) if run.replace and run.good else 0
        differs = changed > 0 or (run.replace and removed != (run.removed or 0))
        self._recount(run, stale)
        self._tell_removed(run)
        breach = differs and not run.released and self._breach(run, run.counts, removed, len(self.records))
        if (run.released and differs) or breach:
            self._stage_again(run, stale)
            run.removed = removed if run.replace else run.removed
            run.reach("halted", "brake" if breach else "plan_changed")
            return
        self._write_overlay(run, stale)
        for key in self.unnamed(run) if removed else ():
            self._note(key, "removed", run.id, self.records.pop(key))
        run.removed = removed if run.replace else run.removed
        run.reach("finished")

    def _judge(self, run: Run, key: str, staged: Staged) -> str | None:
        """What becomes of a record that is not what it was when it was staged; None if it is."""
        held = self.records.get(key)
        if held is None:
            if staged.base is not None:
                return "same" if run.mode == "remove" else "deleted"
            return "superseded" if self._is_gone(run, key) and staged.rows else None
        superseded = held.seq > run.seq
        if held.at == staged.base and not (staged.rows and superseded):
            return None
        if superseded:
            return "superseded"
        if run.mode == "remove":
            return "changed"
        return "same" if merge(held.data, staged.incoming, run.mode) == held.data else "changed"

    def _recount(self, run: Run, stale: Mapping[str, str]) -> None:
        for key, fate in stale.items():
            staged = run.overlay[key]
            for row, outcome in self._list_moves(run, staged, fate):
                run.counts[run.outcomes[row]] -= 1
                run.counts[outcome] += 1
                run.outcomes[row] = outcome

    @staticmethod
    def _list_moves(run: Run, staged: Staged, fate: str) -> Iterator[tuple[int, str]]:
        if not staged.rows:
            yield from [(staged.row, "updated")] if fate == "changed" else []
        elif fate != "changed":
            outcome = "unchanged" if fate == "same" and run.mode != "keep" else "skipped"
            yield from ((row, outcome) for row in staged.rows)
        elif staged.base is None:
            yield staged.rows[0], "updated"

    def _stage_again(self, run: Run, stale: Mapping[str, str]) -> None:
        for key, fate in stale.items():
            staged, held = run.overlay[key], self.records.get(key)
            staged.base = None if held is None else held.at
            if fate != "changed":
                staged.rows = []
            else:
                assert held is not None
                staged.data = merge(held.data, staged.incoming, run.mode)
                staged.rows = staged.rows or [staged.row]

    def _write_overlay(self, run: Run, stale: Mapping[str, str]) -> None:
        self._stage_again(run, stale)
        older = self._older_open(run.seq)
        for key, staged in run.overlay.items():
            held = self.records.get(key)
            if run.mode == "remove":
                if staged.rows:
                    self._note(key, "removed", run.id, self.records.pop(key))
            elif staged.rows:
                self._write(key, staged.data, run.id, run.seq)
            elif older and held is not None and key not in stale:
                held.seq = max(held.seq, run.seq)

    def unnamed(self, run: Run) -> list[str]:
        return [
            key
            for key, held in self.records.items()
            if key not in run.named and held.seq <= run.seq and held.run != run.id
        ]

    def _undo(self, run: Run) -> None:
        """Takes back what its parent has created, then what it has changed and removed."""
        counts = {"created": 0, "updated": 0, "unchanged": 0, "skipped": 0, "removed": 0}
        mine = [note for note in self.notes if note.run == run.parent]
        for note in sorted(mine, key=lambda note: (note.outcome != "made", note.at)):
            fate = self._judge_change(run, note)
            counts[{"put_back": "created", "same": "unchanged", "left": "skipped"}.get(fate, "updated")] += 1
            held = self.records.get(note.key)
            if fate == "removed" and held is not None:
                counts["removed"] += 1
                self._note(note.key, "removed", run.id, self.records.pop(note.key))
            elif fate in ("restored", "put_back"):
                later = held is not None and held.seq > self.runs[run.parent].seq
                seq = held.seq if later and held is not None else note.before_seq
                self._write(note.key, dict(note.before or {}), run.id, seq)
        run.removed, run.total = counts.pop("removed"), sum(counts.values())
        run.counts |= counts
        run.reach("finished")

    def _judge_change(self, run: Run, note: Noted) -> str:
        held = self.records.get(note.key)
        if held is None:
            return {"made": "same", "removed": "put_back"}.get(note.outcome, "left")
        later = (each for each in self.notes if each.key == note.key and each.at > note.at and each.outcome != "made")
        after = next(later, None)
        mine = held.run == run.parent or (
            after is not None and after.before_run == run.parent and after.before == held.data
        )
        if note.outcome == "made":
            return "removed" if mine else "left"
        if note.outcome == "updated" and mine:
            return "restored"
        return "same" if held.data == note.before else "left"

    # What is common.

    def _write(self, key: str, data: Data, run: str | None, seq: int) -> None:
        held = self.records.get(key)
        if held is None:
            self._note(key, "created" if run is None else "made", run, None)
        elif run is None or held.run != run:
            self._note(key, "updated", run, held)
        self.records[key] = Stored(dict(data), run, seq, next(self.clock))

    def _note(self, key: str, outcome: str, run: str | None, held: Stored | None) -> None:
        before = {} if held is None else {"before": dict(held.data), "before_run": held.run, "before_seq": held.seq}
        self.notes.append(Noted(next(self.clock), key, outcome, run, **before))

    def _older_open(self, seq: int) -> bool:
        return any(run.seq < seq and not run.done for run in self.runs.values())

    def _is_gone(self, run: Run, key: str) -> bool:
        """Whether a later import has removed the record, or would have."""
        return self._is_replaced(run) or any(
            each.seq > run.seq and each.mode == "remove" and each.state == "finished" and key in each.named
            for each in self.runs.values()
        )

    def _is_replaced(self, run: Run) -> bool:
        return any(
            each.seq > run.seq and each.replace and each.state == "finished" and each.good
            for each in self.runs.values()
        )

    @staticmethod
    def _breach(run: Run, counts: Mapping[str, int], removed: int, stored: int) -> bool:
        removed = counts["updated"] if run.mode == "remove" else removed
        share = run.brakes.get("maxRemovedShare", 1 if not run.replace else 0.5)
        limits: dict[str, Callable[[], int]] = {
            "maxErrors": lambda: counts["failed"],
            "maxCreated": lambda: counts["created"],
            "maxUpdated": lambda: counts["updated"],
            "maxRemoved": lambda: removed,
        }
        return removed > share * stored or any(
            find() > run.brakes[name] for name, find in limits.items() if name in run.brakes
        )


def _members(stored: Stored) -> dict[str, Any]:
    return {"data": dict(stored.data), "run": stored.run, "seq": stored.seq, "at": stored.at}
