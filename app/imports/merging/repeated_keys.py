"""Handles rows whose key occurred before in the file, in the same batch or an earlier one.

Those of the same batch are applied one after the other, in the order of the file, to what the store holds after the
first row of the key has been merged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from json.encoder import encode_basestring

import msgspec

from app.imports.merging.json_values import differ
from app.imports.plan import Duplicates
from app.imports.rows import BatchOutcome, CheckedBatch, RepeatedKey
from app.problems import PROBLEMS, WARNINGS, Problem
from app.resources.sizes import measure_json
from app.runs.summary import RunWarning
from app.storage import merge, records
from app.storage.database import Session
from app.storage.merge import MergeTarget, Mode
from app.storage.staging import table as staging

BLANK = (None, b"null", b'""')
decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(slots=True)
class RecordState:
    """What a record holds while repeated keys are applied to it: raw JSON per field. Its JSON text has at most `size`
    bytes. `given` is what its rows give it together, and `changing` are the rows that change it."""

    members: dict[str, bytes]
    size: int
    run_seq: int
    given: dict[str, bytes] = field(default_factory=dict)
    changing: list[int] = field(default_factory=list)
    row: int = 0  # the last of those that give it anything


def note_repeated_key(outcome: BatchOutcome, repeated: RepeatedKey, duplicates: Duplicates) -> bool:
    """Warns of a repeated key, or fails its row if the import asks for that. Returns whether the row is to be
    applied."""
    if duplicates == "error":
        outcome.problems.append(
            Problem(
                line=repeated.line,
                row=repeated.row,
                column=None,
                field=None,
                code="duplicate_key",
                message=PROBLEMS["duplicate_key"].format(row=repeated.earlier_row),
                value=None,
            )
        )
        outcome.failed += 1
        return False
    outcome.repeated.append(repeated)
    outcome.warnings.append(RunWarning("duplicate_key", "", repeated.describe(), repeated.row, repeated.line))
    if duplicates == "first":
        outcome.skip(repeated.row, "duplicate_key")
        return False
    return True


def build_conflict(target: MergeTarget, checked: CheckedBatch, row: int, line: int) -> Problem:
    """The problem of a row that would change the field that never changes."""
    return Problem(
        line=line,
        row=row,
        column=None,
        field=target.fixed,
        code="conflict",
        message=PROBLEMS["conflict"].format(field=target.fixed),
        value=None,
        key=checked.caller_key(row),
    )


def build_too_large(target: MergeTarget, checked: CheckedBatch, row: int, line: int) -> Problem:
    """The problem of a row that would make its record too large."""
    return Problem(
        line=line,
        row=row,
        column=None,
        field=None,
        code="record_too_large",
        message=PROBLEMS["record_too_large"].format(limit=target.record_bytes),
        value=None,
        key=checked.caller_key(row),
    )


async def apply_repeated_keys(
    session: Session,
    target: MergeTarget,
    checked: CheckedBatch,
    outcome: BatchOutcome,
    repeats: Sequence[tuple[int, int]],
    *,
    duplicates: Duplicates,
) -> None:
    """Applies `repeats`, pairs of indexes (row, first row of its key), after the first rows have been merged."""
    applied = [
        index
        for index, first in repeats
        if note_repeated_key(outcome, find_repeated_key(checked, index, first), duplicates)
    ]
    if target.mode == "keep":
        outcome.skipped += len(applied)
        return
    keys = sorted({checked.keys[index] for index in applied})
    if not keys:
        return
    stored = await records.lock(session, target.account_id, target.type, keys, overlay=target.overlay)
    states = {record["key"]: build_state(record["data"], record["run_seq"]) for record in stored}
    for index in applied:
        state = states.get(checked.keys[index])
        if state is None:
            skip_deleted(checked, index, outcome)
        else:
            apply_row(state, target, checked, index, outcome)
    written = {key: state for key, state in states.items() if state.changing or (target.staged and state.given)}
    if written:
        await write_states(session, target, written)


def skip_deleted(checked: CheckedBatch, index: int, outcome: BatchOutcome) -> None:
    """Under an overlay nobody locks a record that the first row of the key has left as it is."""
    row, line, code = checked.rows[index], checked.lines[index], "deleted_meanwhile"
    outcome.skip(row, code)
    outcome.warnings.append(RunWarning(code, "", WARNINGS[code], row, line))


def build_state(data: str, run_seq: int) -> RecordState:
    return RecordState(parse_members(data), len(data.encode()), run_seq)


def find_repeated_key(checked: CheckedBatch, index: int, first: int) -> RepeatedKey:
    return RepeatedKey(
        key=checked.keys[index],
        row=checked.rows[index],
        line=checked.lines[index],
        earlier_row=checked.rows[first],
        earlier_line=checked.lines[first],
    )


def apply_row(
    state: RecordState, target: MergeTarget, checked: CheckedBatch, index: int, outcome: BatchOutcome
) -> None:
    """Does to one record what the merge statement does to a set."""
    row, line = checked.rows[index], checked.lines[index]
    members = parse_members(checked.data[index])
    if state.run_seq > target.run_seq:
        outcome.skip(row, "superseded")
        outcome.warnings.append(RunWarning("superseded", "", PROBLEMS["superseded"], row, line))
    elif target.fixed in members and differ(state.members.get(target.fixed), members[target.fixed]):
        outcome.problems.append(build_conflict(target, checked, row, line))
        outcome.failed += 1
    elif not (changes := find_changes(state.members, members, target.mode)):
        collect_members(state, members, target.mode, row)
        outcome.unchanged += 1
    elif write_members(state, changes, target.record_bytes):
        collect_members(state, members, target.mode, row)
        state.changing.append(row)
        outcome.updated += 1
        outcome.updated_rows.append(row)
    else:
        outcome.problems.append(build_too_large(target, checked, row, line))
        outcome.failed += 1


def find_changes(held: dict[str, bytes], members: dict[str, bytes], mode: Mode) -> dict[str, bytes]:
    """Those of the members that the record does not hold already, and that the mode lets be written."""
    writable = members.items() if mode == "overwrite" else ((n, v) for n, v in members.items() if held.get(n) in BLANK)
    return {name: value for name, value in writable if differ(held.get(name), value)}


def write_members(state: RecordState, changes: dict[str, bytes], limit: int | None) -> bool:
    """Writes the changes into the record. False if it would be too large: then it is left as it is."""
    state.size += measure_json(format_members(changes))
    if limit is not None and state.size > limit:
        # Most of what is replaced was counted twice until now.
        size = measure_json(format_members(state.members | changes))
        if size > limit:
            return False
        state.size = size
    state.members |= changes
    return True


def collect_members(state: RecordState, members: dict[str, bytes], mode: Mode, row: int) -> None:
    """Adds what a row gives to what the rows before it have given."""
    if mode == "fill":
        members = {name: value for name, value in members.items() if state.given.get(name) in BLANK}
    state.given |= members
    state.row = row


async def write_states(session: Session, target: MergeTarget, states: dict[str, RecordState]) -> None:
    """Merges what the rows of each record give it together: that makes the same of it as one after the other. It was
    measured."""
    data = [format_members(state.given) for state in states.values()]
    rows = [state.changing[-1] if state.changing else state.row for state in states.values()]
    earlier = [state.changing[:-1] for state in states.values()]
    await staging.clear_staging(session)
    await staging.stage(session, staging.format_copy_text(list(states), rows, data, earlier), earlier=True)
    await merge.merge(session, replace(target, unique_keys=False, flat=False, record_bytes=None), rows, touch=False)


def format_members(members: dict[str, bytes]) -> str:
    return "{" + ",".join(map(format_raw_member, members.items())) + "}"


def format_raw_member(item: tuple[str, bytes]) -> str:
    return f"{encode_basestring(item[0])}:{item[1].decode()}"


def parse_members(data: str) -> dict[str, bytes]:
    return {name: bytes(raw) for name, raw in decode_members(data).items()}
