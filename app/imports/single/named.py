"""Writes the record that a caller has named by its key: replaces what it holds, or changes only what is given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from app.auth.identity import Identity
from app.declarations.stored_records import list_key_forms, no_record
from app.declarations.types import load_key_forms, load_resource
from app.errors import Complaint, Refused, describe
from app.imports.plan import Options
from app.imports.single.write import RECORD_CHANGED, begin_write, merge_write, prepare_write
from app.problems import Problem
from app.resources.field_types import normalize_key
from app.resources.schema import Resource
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage import records
from app.storage.database import ReadSession
from app.storage.merge import Mode

OTHER_KEY: Final = "`{}` must be the key in the path, or be left out"
# Of a type with a field that only an import sets, and that never changes.
BY_IMPORT: Final = "Records of `{type}` are created by an import, which says what their `{field}` is"
NEVER_CHANGES: Final = "`{}` never changes: it must be as the record holds it, or be left out"
# An empty text is sent on purpose here, where a cell of a file may only be blank.
OPTIONS: Final = Options(blank_cells="empty")


@dataclass(frozen=True, slots=True)
class NamedWrite:
    """What to write to which record: it is called `name`, and is replaced, or else changed. `is_current` judges when it
    was changed last, by None if there is no such record."""

    type: str
    name: str
    given: Mapping[str, object]  # a JSON object with its numbers as Decimal
    replaces: bool
    is_current: Callable[[datetime | None], bool]


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    row: Mapping[Any, Any]
    created: bool


async def write_named(runtime: Runtime, account_id: AccountId, write: NamedWrite, *, sender: Identity) -> WrittenRecord:
    """The record as it is stored now. Only what `replaces` creates one.

    Raises Refused: not_found for the type or the record, invalid with every problem that an import of the record would
    have, record_changed, not_authenticated if `sender` was revoked meanwhile.
    """
    async with runtime.database.read() as session:
        resource, declaration = await load_resource(session, account_id, write.type)
        key_forms = await load_key_forms(session, account_id, resource.named_types)
        forms = await list_key_forms(session, account_id, write.type, write.name)
        held = await find_first(session, account_id, write.type, forms)
    if held is None and (resource.generates_key or not write.replaces):
        raise no_record(write.type)
    named = name_record(resource, write, held)
    kept = keep_fixed(resource, write, held)
    prepared = await prepare_write(runtime, account_id, (resource, declaration), named, OPTIONS, kept)
    checked = prepared.checked
    missing = checked.incomplete.get(0, ()) if write.replaces else ()
    refuse_problems([*checked.problems, *missing])
    key = checked.keys[0]
    if key not in forms:
        name = next(each for each in resource.keys if each in named)
        raise Refused("invalid", OTHER_KEY.format(name), [Complaint(name, OTHER_KEY.format(name))])
    async with runtime.database.transaction() as session:
        await begin_write(runtime, session, account_id, [key], type=write.type, sender=sender)
        changed_at = await records.find_change(session, account_id, write.type, key)
        if not write.is_current(changed_at):
            raise Refused("record_changed", RECORD_CHANGED)
        if changed_at is None and (kept or not write.replaces):
            raise no_record(write.type)
        mode: Mode = "replace" if write.replaces else "overwrite"
        outcome = await merge_write(runtime, session, prepared, key_forms, mode=mode)
        refuse_problems(outcome.problems)
        row = await records.get(session, account_id, write.type, key)
    assert row is not None  # noqa: S101  it is locked
    return WrittenRecord(row, outcome.created > 0)


async def find_first(
    session: ReadSession, account_id: AccountId, type: str, forms: Sequence[str]
) -> Mapping[Any, Any] | None:
    """The first of the records with one of these keys."""
    for form in forms:
        if (row := await records.get(session, account_id, type, form)) is not None:
            return row
    return None


def name_record(resource: Resource, write: NamedWrite, held: Mapping[Any, Any] | None) -> Mapping[str, object]:
    """What is given, with the key of the record if it names none, and with what can never change in it."""
    data = {} if held is None else msgspec.json.decode(held["data"])
    more: dict[str, object] = {}
    if resource.fixed is not None and data.get(resource.fixed) is not None:
        more[resource.fixed] = data[resource.fixed]
    if all(is_blank(write.given.get(each)) for each in resource.keys):
        more[find_key_field(resource, write.name, held, data)] = write.name
    return {**more, **{name: value for name, value in write.given.items() if name not in more or not is_blank(value)}}


def keep_fixed(resource: Resource, write: NamedWrite, held: Mapping[Any, Any] | None) -> Mapping[str, str]:
    """The JSON text of the field that never changes, as the record holds it, where no record that is sent can fill it.
    Raises Refused("invalid") if there is no record yet, or if another value is given."""
    field = resource.field(resource.fixed) if resource.fixed else None
    if field is None or not field.read_only:
        return {}
    if held is None:
        reason = BY_IMPORT.format(type=resource.name, field=field.id)
        raise Refused("invalid", reason, [Complaint("", reason)])
    stored, given = msgspec.json.decode(held["data"]).get(field.id), write.given.get(field.id)
    if given != stored and not is_blank(given):
        reason = NEVER_CHANGES.format(field.id)
        raise Refused("invalid", reason, [Complaint(field.id, reason)])
    return {} if stored is None else {field.id: msgspec.json.encode(stored).decode()}


def is_blank(value: object) -> bool:
    return value is None or value == ""


def find_key_field(resource: Resource, name: str, held: Mapping[Any, Any] | None, data: Mapping[str, object]) -> str:
    """The field in which a record is called so."""
    if held is not None and held["key"] == name and resource.made_field:
        return resource.made_field
    for each in resource.keys:
        field, value = resource.field(each), data.get(each)
        if field and value is not None and normalize_key(field, str(value)) == normalize_key(field, name):
            return each
    return resource.keys[0]


def refuse_problems(problems: Sequence[Problem]) -> None:
    """Raises Refused("invalid")."""
    if problems:
        complaints = [build_complaint(each, each.field or each.column) for each in problems]
        raise Refused("invalid", describe(complaints), complaints)


def build_complaint(problem: Problem, name: str | None) -> Complaint:
    """The message of the problem as a sentence that names the field; None: the whole record is meant."""
    if not name:
        return Complaint("", problem.message)
    if problem.code == "required":
        return Complaint(name, f"`{name}` is required")
    return Complaint(name, f"`{name}` is not valid: {problem.message[0].lower()}{problem.message[1:]}")
