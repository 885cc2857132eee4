"""Rows whose key stands in the same batch already: applied in the file's order to what the store holds by then."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from json.encoder import encode_basestring

import msgspec

from app.imports.plan import Duplicates
from app.imports.rows import CheckedBatch, Outcome, Warned
from app.problems import PROBLEMS, Problem
from app.storage import merge, records
from app.storage.database import Session
from app.storage.merge import MergeTarget, Mode

EMPTY = (b"null", b'""')
decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(slots=True)
class RecordState:
    """What a record holds while repeats are applied to it: raw JSON per field, and which row spoke last."""

    members: dict[str, bytes]
    run_seq: int
    row: int
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """A later row of a key: its number and line, and the row and line (None: in an earlier batch) before it."""

    row: int
    line: int
    earlier_row: int
    earlier_line: int | None

    def text(self) -> str:
        before = (
            f"line {self.earlier_line} (row {self.earlier_row})" if self.earlier_line else f"row {self.earlier_row}"
        )
        return f"The key of line {self.line} (row {self.row}) stands in {before} already"


def note_repeat(outcome: Outcome, repeat: Repeat, duplicates: Duplicates) -> bool:
    """Warns of a repeated key, or fails its row if the import asks for that. Whether the row may still be applied."""
    if duplicates == "error":
        told = PROBLEMS["duplicate_key"].format(row=repeat.earlier_row)
        outcome.problems.append(Problem(repeat.line, repeat.row, None, None, "duplicate_key", told, None))
        outcome.failed += 1
        return False
    outcome.warnings.append(Warned("duplicate_key", "", repeat.text(), repeat.row, repeat.line))
    if duplicates == "first":
        outcome.skipped += 1
        return False
    return True


async def apply_repeats(
    session: Session,
    target: MergeTarget,
    checked: CheckedBatch,
    outcome: Outcome,
    repeats: Sequence[tuple[int, int]],
    *,
    duplicates: Duplicates,
) -> None:
    """Applies `repeats`, pairs of indexes (row, first row of its key), after the first rows have been merged."""
    applied = [index for index, first in repeats if note_repeat(outcome, between(checked, index, first), duplicates)]
    if target.mode == "keep":
        outcome.skipped += len(applied)
        return
    keys = sorted({checked.keys[index] for index in applied})
    found = await records.locked(session, target.account_id, target.type, keys) if keys else []
    states = {row["key"]: RecordState(decode(row["data"]), row["run_seq"], 0) for row in found}
    for index in applied:
        apply(states[checked.keys[index]], target, checked, index, outcome)
    await store(session, target, {key: state for key, state in states.items() if state.changed})


def between(checked: CheckedBatch, index: int, first: int) -> Repeat:
    return Repeat(checked.rows[index], checked.lines[index], checked.rows[first], checked.lines[first])


def apply(state: RecordState, target: MergeTarget, checked: CheckedBatch, index: int, outcome: Outcome) -> None:
    """One row on one record: what the merge statement does to a set, done to a single row."""
    row, line = checked.rows[index], checked.lines[index]
    patch = decode(checked.data[index])
    if state.run_seq > target.run_seq:
        outcome.skipped += 1
        outcome.left_rows.append(row)
        outcome.warnings.append(Warned("superseded", "", PROBLEMS["superseded"], row, line))
    elif target.fixed in patch and differs(state.members.get(target.fixed), patch[target.fixed]):
        told = PROBLEMS["conflict"].format(field=target.fixed)
        named = checked.called(row)
        outcome.problems.append(Problem(line, row, None, target.fixed, "conflict", told, None, named))
        outcome.failed += 1
    elif write_members(state, patch, target.mode):
        state.changed, state.row = True, row
        outcome.updated += 1
    else:
        outcome.unchanged += 1


def write_members(state: RecordState, patch: dict[str, bytes], mode: Mode) -> bool:
    """Whether the patch changed anything in the record."""
    changed = False
    for name, value in patch.items():
        held = state.members.get(name)
        if (mode == "fill" and held is not None and held not in EMPTY) or not differs(held, value):
            continue
        state.members[name] = value
        changed = True
    return changed


def differs(held: bytes | None, value: bytes | None) -> bool:
    """Whether two JSON texts mean different values; the store writes lists and numbers in its own way."""
    if held == value:
        return False
    if held is None or value is None or held[:1] == b'"' or value[:1] == b'"':
        return True
    return not same(exact(held), exact(value))


def exact(text: bytes) -> object:
    """JSON with every number to its last digit: a float would call two long numbers equal, and refuse 1e400."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def same(held: object, value: object) -> bool:
    """As PostgreSQL compares JSON: `true` is not 1, 1.0 is 1."""
    if isinstance(held, bool) or isinstance(value, bool):
        return held is value
    if isinstance(held, list) and isinstance(value, list):
        return len(held) == len(value) and all(map(same, held, value))
    if isinstance(held, dict) and isinstance(value, dict):
        return held.keys() == value.keys() and all(same(held[name], value[name]) for name in held)
    return held == value


async def store(session: Session, target: MergeTarget, states: dict[str, RecordState]) -> None:
    """Writes the final states; they are whole records, so overwriting is right for every mode."""
    if not states:
        return
    data = ["{" + ",".join(map(raw_member, state.members.items())) + "}" for state in states.values()]
    await merge.clear_staging(session)
    await merge.stage(session, merge.copy_lines(list(states), [state.row for state in states.values()], data))
    await merge.merge(session, replace(target, mode="overwrite", once=False, flat=False), touch=False)


def raw_member(item: tuple[str, bytes]) -> str:
    return f"{encode_basestring(item[0])}:{item[1].decode()}"


def decode(data: str) -> dict[str, bytes]:
    return {name: bytes(raw) for name, raw in decode_members(data).items()}
