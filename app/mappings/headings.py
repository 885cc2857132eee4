"""Finds the field that a column of a file fills: by its position, its heading, a label, or what looks the same."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from unicodedata import category

from app.mappings.mapping import Conversions, MappedColumn, Mapping
from app.resources.canonical import fold
from app.resources.schema import Field, Resource

How = Literal["exact", "label", "loose", "position"]


@dataclass(frozen=True, slots=True)
class FoundField:
    """What a column fills, and how that was found. Without a field the mapping ignores the column."""

    field: Field | None
    how: How
    conversions: Conversions = dataclasses.field(default_factory=dict)
    mapped: MappedColumn | None = None


class ColumnFinder:
    """Finds fields by a mapping: by its columns if it has any, else by the ids and labels of the type's fields."""

    def __init__(self, mapping: Mapping, resource: Resource) -> None:
        self._mapping, self._resource = mapping, resource
        self._by_position = {each.position: each for each in mapping.columns if each.position is not None}
        self._by_heading = {each.heading: each for each in mapping.columns if each.position is None}
        labels = mapping.matching == "loose" and not mapping.columns
        self._by_label = {each.label: each for each in reversed(resource.fields) if each.label} if labels else {}

    def find(self, heading: str, index: int) -> FoundField | None:
        """What the column at this index of the header fills; None if nobody says."""
        mapped = self._by_position.get(index)
        return self.find_heading(heading) if mapped is None else self._found(mapped, "position")

    def find_heading(self, heading: str) -> FoundField | None:
        if self._mapping.columns:
            mapped = self._by_heading.get(heading)
            if mapped is not None:
                return self._found(mapped, "exact")
        elif (declared := self._resource.field(heading)) is not None:  # the members of nested records, too
            return FoundField(declared, "exact")
        elif heading in self._by_label:
            return FoundField(self._by_label[heading], "label")
        return self._folded.get(self._reduce(heading)) if heading else None

    def find_field(self, heading: str) -> Field | None:
        found = self.find_heading(heading)
        return found.field if found else None

    def _found(self, mapped: MappedColumn, how: How) -> FoundField:
        declared = self._resource.field(mapped.field) if mapped.field else None
        if mapped.field and declared is None:  # a field beside the declared ones, see `fit_mapping`
            declared = Field(mapped.field, "text")
        return FoundField(declared, how, mapped.conversions, mapped)

    @cached_property
    def _folded(self) -> dict[str, FoundField]:
        """By what counts of their headings. Of those that are alike the first counts, and ids before labels."""
        if self._mapping.matching == "exact":
            return {}
        if self._mapping.columns:
            every = [(heading, self._found(mapped, "loose")) for heading, mapped in self._by_heading.items()]
        else:
            every = [(each.id, FoundField(each, "loose")) for each in self._resource.fields]
            every += [(label, FoundField(each, "loose")) for label, each in reversed(self._by_label.items())]
        return {self._reduce(heading): found for heading, found in reversed(every)}

    def _reduce(self, heading: str) -> str:
        return heading.casefold() if self._mapping.matching == "caseless" else reduce_heading(heading)


def reduce_heading(heading: str) -> str:
    """What people see of a heading: without regard to case, surrounding and repeated white space, Unicode form and
    invisible characters."""
    if not heading.isascii():
        heading = "".join(each for each in fold(heading) if category(each) != "Cf")
    return " ".join(heading.casefold().split())


def list_headings(mapping: Mapping, resource: Resource) -> dict[str, str]:
    """The headings that a file may have, each with the id of its field. Those of nested records are not listed."""
    if mapping.columns:
        return {each.heading: each.field for each in mapping.columns if each.position is None and each.field}
    writable = [each for each in resource.fields if not each.read_only]
    labels = {each.label: each.id for each in writable if each.label} if mapping.matching == "loose" else {}
    return labels | {each.id: each.id for each in writable}


def find_absent(mapping: Mapping, found: Iterable[FoundField | None]) -> list[MappedColumn]:
    """The columns that fill a field by the mapping and that the file does not have."""
    present = {each.mapped.name for each in found if each and each.mapped}
    return [column for column in mapping.columns if column.field and column.name not in present]
