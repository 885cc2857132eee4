"""Builds JSON objects from columns of JSON values: one format operation per row instead of one per cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring


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
