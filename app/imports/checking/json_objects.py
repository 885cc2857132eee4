"""Builds JSON objects from columns of JSON values: one format operation per row instead of one per cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring

from app.resources.schema import Field, Resource


@dataclass(frozen=True, slots=True)
class MemberColumn:
    """One text per object of a batch. With a `name` it is the value of the member with that name. Without one it is
    any number of whole members, each with a comma before it (see `format_member`)."""

    name: str | None
    texts: Sequence[str]


def format_member(name: str, value: str) -> str:
    """A member as it follows another one; `value` is JSON."""
    return f",{encode_basestring(name)}:{value}"


def build_objects(columns: Sequence[MemberColumn], constants: Mapping[str, str], count: int) -> list[str]:
    """`count` objects as JSON text; `constants` (name -> JSON value) are members of all of them."""
    named = [column for column in columns if column.name is not None]
    loose = [column for column in columns if column.name is None]
    same = "".join(format_member(name, value) for name, value in constants.items()).replace("%", "%%")
    template = "".join(format_member(column.name or "", "").replace("%", "%%") + "%s" for column in named)
    template += same + "%s" * len(loose)
    rows: Iterable[tuple[str, ...]] = zip(*(column.texts for column in (*named, *loose)), strict=True)
    if not columns:  # zip() of nothing yields no rows at all
        rows = [()] * count
    if named or constants:
        return list(map(("{" + template[1:] + "}").__mod__, rows))
    return ["{" + "".join(row)[1:] + "}" for row in rows]


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
