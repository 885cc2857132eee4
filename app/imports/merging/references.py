"""Looks up the records that the rows of a batch name, once for the batch, and writes their keys into the rows.

A row may name what the store holds when its batch is merged, and what an earlier row of the file has written. Nothing
is locked: a record may be deleted at any time after that, so it makes no difference whether it is before or after the
batch commits (ADR 43).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from app.declarations.types import load_key_forms
from app.imports.rows import CheckedBatch, ReferenceColumn
from app.problems import PROBLEMS, Problem, shorten
from app.resources.conversion import quote_json
from app.resources.stored_keys import KeyForms
from app.storage import records
from app.storage.database import Session


@dataclass(slots=True)
class NamedRecords:
    """The records that the rows of a batch may name, as (type, key), and how records of each type are named. `own` is
    the type of the batch itself, of which each row may add one."""

    own: str
    forms: Mapping[str, KeyForms] = field(default_factory=dict)
    existing: set[tuple[str, str]] = field(default_factory=set)
    _resolved: dict[tuple[str, str], str | list[str]] = field(default_factory=dict)

    def add(self, key: str) -> None:
        self.existing.add((self.own, key))

    def resolve(self, type: str, cell: str) -> str | list[str]:
        """The cell with the keys of the records that it names, as JSON; or those of its names that no record has."""
        known = self._resolved.get((type, cell))
        if known is not None:
            return known
        names, is_list = read_names(cell)
        keys = [self._find(type, name) for name in names]
        unknown = [name for name, key in zip(names, keys, strict=True) if key is None]
        quoted = [quote_json(key) for key in keys if key is not None]
        resolved = unknown or (f"[{','.join(quoted)}]" if is_list else quoted[0])
        if type != self.own:
            self._resolved[type, cell] = resolved
        return resolved

    def _find(self, type: str, name: str) -> str | None:
        keys = self.forms[type](name) if type in self.forms else ()
        return next((key for key in keys if (type, key) in self.existing), None)


async def look_up_references(
    session: Session, account_id: int, own: str, references: Sequence[ReferenceColumn]
) -> NamedRecords:
    """Finds the named records: one look-up for the batch, and none for a batch without references."""
    if not references:
        return NamedRecords(own)
    forms = await load_key_forms(session, account_id, {column.type for column in references})
    named = await asyncio.to_thread(collect_keys, references, forms)
    missing = await records.find_missing(session, account_id, named) if named else set()
    return NamedRecords(own, forms, named - missing)


def collect_keys(references: Sequence[ReferenceColumn], forms: Mapping[str, KeyForms]) -> set[tuple[str, str]]:
    """All keys that the named records may have. Blocking."""
    keys: set[tuple[str, str]] = set()
    for column in references:
        if key_forms := forms.get(column.type):
            names = {name for cell in {*column.cells} if cell is not None for name in read_names(cell)[0]}
            keys |= {(column.type, key) for name in names for key in key_forms(name)}
    return keys


def read_names(cell: str) -> tuple[list[str], bool]:
    """What a cell names, and whether it is a list."""
    decoded = msgspec.json.decode(cell)
    return (decoded, True) if isinstance(decoded, list) else ([decoded], False)


def write_references(checked: CheckedBatch, index: int, named: NamedRecords) -> list[Problem]:
    """Writes the keys of the records that a row names into its data, or says which of them there are not."""
    members, problems = "", []
    for column in checked.references:
        cell = column.cells[index]
        if cell is None:
            continue
        resolved = named.resolve(column.type, cell)
        if isinstance(resolved, str):
            members += f",{quote_json(column.field)}:{resolved}"
        else:
            problems.append(build_unknown(checked, index, column, resolved))
    data = checked.data[index]
    checked.data[index] = f"{data[:-1]}{members}}}" if data != "{}" else f"{{{members[1:]}}}"
    return problems


def build_unknown(checked: CheckedBatch, index: int, column: ReferenceColumn, names: Sequence[str]) -> Problem:
    return Problem(
        line=checked.lines[index],
        row=checked.rows[index],
        column=column.heading,
        field=column.field,
        code="unknown_reference",
        message=PROBLEMS["unknown_reference"].format(type=column.type),
        value=shorten(", ".join(names)),
        key=shorten(checked.caller_key(checked.rows[index])),
    )
