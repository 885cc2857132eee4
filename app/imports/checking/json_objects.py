"""Builds JSON objects from columns of JSON values: one join per row instead of one operation per cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from json.encoder import encode_basestring

from app.resources.schema import Field, Resource


@dataclass(frozen=True, slots=True)
class MemberColumn:
    """One text per object of a batch. With a `name` it is the value of the member with that name. Without one it is
    any number of whole members, each with a comma before it (see `format_member`). With `bare` the values are strings
    of JSON without their quotes."""

    name: str | None
    texts: Sequence[str]
    bare: bool = False

    @property
    def values(self) -> Sequence[str]:
        """The texts with their quotes."""
        return [f'"{text}"' for text in self.texts] if self.bare else self.texts


def format_member(name: str, value: str) -> str:
    """A member as it follows another one; `value` is JSON."""
    return f",{encode_basestring(name)}:{value}"


def build_objects(columns: Sequence[MemberColumn], constants: Mapping[str, str], count: int) -> list[str]:
    """`count` objects as JSON text; `constants` (name -> JSON value) are members of all of them."""
    named = [column for column in columns if column.name is not None]
    loose = [column.texts for column in columns if column.name is None]
    between, quote = [], ""
    for column in named:
        between.append(quote + format_member(column.name or "", "") + ('"' if column.bare else ""))
        quote = '"' if column.bare else ""
    between.append(quote + "".join(format_member(name, value) for name, value in constants.items()))
    if not named and not constants:
        rows = zip(*loose, strict=True) if loose else repeat((), count)
        return ["{" + "".join(row)[1:] + "}" for row in rows]
    between[0] = "{" + between[0][1:]
    parts: list[Iterable[str]] = []
    for text, column in zip(between, named, strict=False):
        parts += [repeat(text, count), column.texts]
    return list(map("".join, zip(*parts, repeat(between[-1], count), *loose, repeat("}", count), strict=True)))


def split_constants(resource: Resource, constants: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[Field, str]]]:
    """The values that every record gets, and those of them that name other records."""
    fields = {name: resource.field(name) for name in constants}
    named = [
        (field, constants[name])
        for name, field in fields.items()
        if field and resource.type_named_in(field) and constants[name][0] in '"['
    ]
    others = constants.keys() - {field.id for field, _ in named}
    return {name: constants[name] for name in constants if name in others}, named
