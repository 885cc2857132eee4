"""Puts JSON objects together from columns of JSON values: one format operation per row instead of one per cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring


@dataclass(frozen=True, slots=True)
class Members:
    """One member of every object in a batch. With a `name` each text is the member's value; without one each text is
    empty or whole members, a comma before each."""

    name: str | None
    texts: Sequence[str]


def member(name: str, value: str) -> str:
    """A member as it follows another one."""
    return f",{encode_basestring(name)}:{value}"


def objects(columns: Sequence[Members], constants: Mapping[str, str], count: int) -> list[str]:
    """The `count` objects as JSON text; `constants` (name -> JSON value) are in all of them."""
    named = [each for each in columns if each.name is not None]
    loose = [each for each in columns if each.name is None]
    same = "".join(member(name, value) for name, value in constants.items()).replace("%", "%%")
    template = (
        "".join(member(each.name or "", "").replace("%", "%%") + "%s" for each in named) + same + "%s" * len(loose)
    )
    # Without a column there is nothing to count the rows by.
    rows: Iterable[tuple[str, ...]] = zip(*(each.texts for each in (*named, *loose)), strict=True)
    if not columns:
        rows = [()] * count
    if named or constants:
        return list(map(("{" + template[1:] + "}").__mod__, rows))
    return ["{" + "".join(row)[1:] + "}" for row in rows]
