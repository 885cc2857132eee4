"""Finds records by the texts that their types are `named_by`: those in the store, and those of earlier rows."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

import msgspec
from msgspec import UNSET, UnsetType

from app.imports.rows import ReferenceColumn
from app.resources.registry import BUILT_IN
from app.resources.schema import Field, Resource
from app.storage import records
from app.storage.database import Session
from app.storage.merge import MergeTarget

BLANKS = " \t\r\n"  # around a name that do not count, as in `app.storage.merge.NAME`


@dataclass(slots=True)
class RecordNames:
    """`stored` are the keys of the store's records by (type, name), as far as the batch may need them. `own` is the
    type of the batch itself, whose rows add names; `deep` are the keys of its records that have the reference which a
    `deep` field looks at."""

    own: Resource | None = None
    stored: Mapping[tuple[str, str], Collection[str]] = field(default_factory=dict)
    deep: set[str] = field(default_factory=set)
    deep_fields: Sequence[Field] = ()
    _names: dict[str, str] = field(default_factory=dict)  # of the records that the batch has written, by key
    _keys: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def find(self, type: str, name: str) -> Sequence[str]:
        """The keys of the records with that name; of many, a few."""
        keys = self.stored.get((type, name), ())
        if self.own is None or type != self.own.name:
            return list(keys)
        keys = [key for key in keys if self._names.get(key, name) == name]
        written = self._keys.get(name, ())
        return [*keys, *islice((key for key in written if key not in keys), 2)]

    def add(self, key: str, data: str) -> None:
        """A row of the batch that will be written to the record with that key."""
        if self.own is None:
            return
        members = read_members(self.own, data)
        name = getattr(members, self.own.named_by)
        if name is not UNSET:
            self._keys[self._names.get(key, "")].discard(key)
            self._names[key] = (name or "").strip(BLANKS)
            self._keys[self._names[key]].add(key)
        for each in self.deep_fields:
            reference = getattr(members, each.deep)
            if reference is not UNSET:
                (self.deep.add if reference else self.deep.discard)(key)

    def find_missing(self, data: str) -> list[str]:
        """The `deep` fields that a new record lacks."""
        if self.own is None or not self.deep:
            return []
        members = read_members(self.own, data)
        fields = [each for each in self.deep_fields if getattr(members, each.deep) in self.deep]
        return [each.id for each in fields if not (getattr(members, each.id) or "").strip(BLANKS)]


def read_members(resource: Resource, data: str) -> msgspec.Struct:
    """The members of a record on which depends what other rows may name, as JSON text or UNSET."""
    return build_decoder(resource.name).decode(data)


@cache
def build_decoder(name: str) -> msgspec.json.Decoder[msgspec.Struct]:
    """Reads these members and passes over all others."""
    resource = BUILT_IN[name]
    deep = find_deep_fields(resource)
    ids = {resource.named_by, *(each.id for each in deep), *(each.deep for each in deep)}
    members = [(each, str | UnsetType | None, UNSET) for each in ids]
    return msgspec.json.Decoder(msgspec.defstruct("NamedRecord", members))


def find_deep_fields(resource: Resource) -> list[Field]:
    return [each for each in resource.fields if each.deep]


async def look_up_names(
    session: Session, target: MergeTarget, references: Sequence[ReferenceColumn], keys: Collection[str]
) -> RecordNames:
    """Finds the records that rows of a batch name other than by key: one look-up for each type. `keys` are those of
    records of its own type that the batch names."""
    account_id, own, overlay = target.account_id, target.type, target.overlay
    resource = BUILT_IN.get(own)
    if resource is None or not resource.named_by:
        return RecordNames()
    stored: dict[tuple[str, str], Collection[str]] = {}
    for named_type, names in (await asyncio.to_thread(collect_names, references)).items():
        found = await records.find_by_names(session, account_id, named_type, names, overlay=overlay)
        stored |= {(named_type, name): found[name] for name in found}
    parents = {*keys, *(key for (named_type, _), found in stored.items() if named_type == own for key in found)}
    deep_fields = find_deep_fields(resource)
    member = next((each.deep for each in deep_fields), None)
    deep = set[str]()
    if member and parents:
        deep = await records.find_having(session, account_id, own, list(parents), member, overlay=overlay)
    return RecordNames(resource, stored, deep, deep_fields)


def collect_names(references: Sequence[ReferenceColumn]) -> dict[str, set[str]]:
    """The names in the batch by the types of their records. Blocking."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for column in references:
        for cell in {*column.cells} if column.alias_of else ():
            decoded = msgspec.json.decode(cell or "[]")
            listed = [decoded] if isinstance(decoded, str) else decoded
            names[column.type].update(name.strip(BLANKS) for name in listed)
    return {named_type: each for named_type, each in names.items() if each}
