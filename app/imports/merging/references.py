"""Looks up the records that the rows of a batch name, once for the batch, and writes their keys into the rows.

A row may name what the store holds when its batch is merged, and what an earlier row of the file has written. Nothing
is locked: a record may be deleted at any time after that, so it makes no difference whether it is before or after the
batch commits (ADR 43).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from app.imports.merging.record_names import BLANKS, RecordNames, look_up_names
from app.imports.rows import CheckedBatch, ReferenceColumn
from app.problems import PROBLEMS, Problem, shorten
from app.resources.conversion import quote_json
from app.resources.registry import BUILT_IN
from app.resources.stored_keys import KeyForms
from app.storage import records
from app.storage.database import Session
from app.storage.merge import MergeTarget


@dataclass(slots=True)
class NamedRecords:
    """The records that the rows of a batch may name, as (type, key), and the keys that each (type, name) may mean.
    `own` is the type of the batch itself, of which each row may add one."""

    own: str
    forms: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    existing: set[tuple[str, str]] = field(default_factory=set)
    names: RecordNames = field(default_factory=RecordNames)
    _resolved: dict[tuple[str, str, str], str | list[str]] = field(default_factory=dict)

    def add(self, key: str, data: str, *, written: bool) -> None:
        """A row of the batch is kept. `written`: what it says of its record's name will be stored."""
        self.existing.add((self.own, key))
        if written:
            self.names.add(key, data)

    def resolve(self, column: ReferenceColumn, cell: str) -> str | list[str]:
        """The cell with the keys of the records that it names, as JSON; or those of its names that do not tell one."""
        cached = column.type, column.alias_of, cell
        known = self._resolved.get(cached)
        if known is not None:
            return known
        names, is_list = read_names(cell)
        keys = [self.find_keys(column, name) for name in names]
        unclear = [name for name, found in zip(names, keys, strict=True) if len(found) != 1]
        quoted = [quote_json(found[0]) for found in keys if found]
        resolved = unclear or (f"[{','.join(quoted)}]" if is_list else quoted[0])
        if column.type != self.own:
            self._resolved[cached] = resolved
        return resolved

    def find_keys(self, column: ReferenceColumn, name: str) -> Sequence[str]:
        """The keys of the records that the name may mean: one, if it is clear."""
        if column.alias_of:
            return self.names.find(column.type, name.strip(BLANKS))
        return [key for key in self.forms.get((column.type, name), ()) if (column.type, key) in self.existing][:1]


def count_names(references: Sequence[ReferenceColumn]) -> int:
    """How many names there may be in different cells. Each is in quotes."""
    return sum(cell.count('"') // 2 for column in references for cell in {*column.cells} if cell is not None)


def find_key_forms(checked: CheckedBatch, forms: Mapping[str, KeyForms]) -> None:
    """Finds the keys that the named records may have. Not in the transaction: an e-mail address in Unicode takes up to
    0.3 ms. Blocking."""
    for column in checked.references:
        if (key_forms := forms.get(column.type)) and not column.alias_of:
            names = {name for cell in {*column.cells} if cell is not None for name in read_names(cell)[0]}
            checked.key_forms.update(((column.type, name), key_forms(name)) for name in names)


async def look_up_references(session: Session, target: MergeTarget, checked: CheckedBatch) -> NamedRecords:
    """Finds the named records: one look-up for the batch, and none for a batch without references."""
    account_id, own = target.account_id, target.type
    if not checked.references:
        return NamedRecords(own)
    existing = {(type_, key) for (type_, _), keys in checked.key_forms.items() for key in keys}
    if existing:
        existing -= await records.find_missing(session, account_id, existing, overlay=target.overlay)
    own_keys = [key for named_type, key in existing if named_type == own]
    names = await look_up_names(session, target, checked.references, own_keys)
    return NamedRecords(own, checked.key_forms, existing, names)


def read_names(cell: str) -> tuple[list[str], bool]:
    """What a cell names, and whether it is a list."""
    decoded = msgspec.json.decode(cell)
    return (decoded, True) if isinstance(decoded, list) else ([decoded], False)


def write_references(checked: CheckedBatch, index: int, named: NamedRecords) -> list[Problem]:
    """Writes the keys of the records that a row names into its data, or says which of its names do not tell one."""
    members, problems = "", list[Problem]()
    by_key = {column.field for column in checked.references if column.cells[index] is not None}
    for column in checked.references:
        cell = column.cells[index]
        if cell is None or column.alias_of in by_key:
            continue
        resolved = named.resolve(column, cell)
        if isinstance(resolved, str):
            members += f",{quote_json(column.alias_of or column.field)}:{resolved}"
        else:
            problems += build_unclear(checked, index, column, named, resolved)
    data = checked.data[index]
    checked.data[index] = f"{data[:-1]}{members}}}" if data != "{}" else f"{{{members[1:]}}}"
    return problems


def build_unclear(
    checked: CheckedBatch, index: int, column: ReferenceColumn, named: NamedRecords, names: Sequence[str]
) -> Iterator[Problem]:
    """The problem of a row whose `names` no record has, or several have."""
    by = f"`{BUILT_IN[column.type].named_by}`" if column.alias_of else "key"
    found = {name: named.find_keys(column, name) for name in names}
    unknown = [name for name in names if not found[name]]
    ambiguous = [name for name in names if found[name]]
    for code, values in (("unknown_reference", unknown), ("ambiguous_reference", ambiguous)):
        if values:
            yield Problem(
                line=checked.lines[index],
                row=checked.rows[index],
                column=column.heading,
                field=column.field,
                code=code,
                message=PROBLEMS[code].format(type=column.type, by=by),
                value=shorten(", ".join(values)),
                key=shorten(checked.caller_key(checked.rows[index])),
            )


def find_missing(checked: CheckedBatch, index: int, named: NamedRecords) -> Iterator[Problem]:
    """The problems of a row that makes a record without a field which the records that it names call for."""
    for field_id in named.names.find_missing(checked.data[index]):
        yield Problem(
            line=checked.lines[index],
            row=checked.rows[index],
            column=None,
            field=field_id,
            code="required",
            message=PROBLEMS["required"],
            value=None,
            key=shorten(checked.caller_key(checked.rows[index])),
        )
