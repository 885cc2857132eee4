"""Handles members of JSON objects that the type does not declare: they are kept, refused or ignored with a warning."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

from app.imports.checking.findings import Findings
from app.imports.checking.json_objects import format_member
from app.problems import shorten
from app.resources.conversion import bad_cell, type_error
from app.resources.field_types import BadCell, compile_value
from app.resources.schema import Field, Resource, UnknownColumns
from app.runs.summary import RunWarning

IGNORED = "Member `{}` was ignored, because the type has no such field"
UNKNOWN = bad_cell("unknown_column")
NO_ROOM = type_error("The type has no field with this name, and it cannot be kept beside the declared fields around it")
NOT_MAPPED = type_error("The mapping does not name this member, and it cannot be kept, because a field is called so")
KNOWN_NAMES = 4_096  # that were checked, at a time; a hostile file may name others in every row
KEPT_TYPES = {str: "text", bool: "boolean", int: "decimal", Decimal: "decimal"}  # any other value is kept as an object


class UnknownMembers:
    """`mapped`: a mapping says which members are known, so that others may be called as fields are."""

    def __init__(self, resource: Resource, policy: UnknownColumns, *, mapped: bool = False) -> None:
        self._resource, self._policy = resource, policy
        self._has_room_for = lru_cache(KNOWN_NAMES)(resource.has_room_for)
        self._mapped = mapped

    def write(self, record: Mapping[str, object], names: Sequence[str], index: int, findings: Findings) -> str:
        """What is stored of the members with these names: text of whole members, see `MemberColumn`."""
        if self._policy == "keep":
            return "".join(self._keep(record, names, index, findings))
        for name in map(shorten, names):
            if self._policy == "error":
                findings.add(index, UNKNOWN, column=name)
            else:
                findings.warnings.append(RunWarning("unknown_column", name, IGNORED.format(name)))
        return ""

    def _keep(
        self, record: Mapping[str, object], names: Sequence[str], index: int, findings: Findings
    ) -> Iterator[str]:
        """With the JSON type that they came with, under the name that the type keeps them by."""
        for name in names:
            value = record[name]
            if not self._has_room_for(name):
                findings.add(index, NO_ROOM, column=shorten(name), value=value)
                continue
            if self._mapped and self._resource.field(self._resource.unknown_field_id(name)) is not None:
                findings.add(index, NOT_MAPPED, column=shorten(name), value=value)
                continue
            field = Field(name, KEPT_TYPES.get(type(value), "object"))
            text = "null" if value is None else compile_value(field)(value)
            if isinstance(text, BadCell):
                findings.add(index, text, column=shorten(name), value=value)
            else:
                yield format_member(self._resource.unknown_field_id(name), text)
