"""A change of one record, field by field: the shape that lists and files of changes have on the wire."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from app.resources.paths import read_members

ChangeOutcome = Literal["created", "updated", "removed"]

_decode_items = msgspec.json.Decoder(list[Raw]).decode


class FieldChange(msgspec.Struct, frozen=True):
    """What a field was and becomes, as JSON text. UNSET, and left out on the wire: the record does not have it."""

    field: str
    before: Raw | UnsetType = UNSET
    after: Raw | UnsetType = UNSET


class RecordChange(msgspec.Struct, frozen=True):
    """What becomes of a record, and the row of the file that does it: UNSET if none does."""

    type: str
    key: str
    outcome: ChangeOutcome
    fields: list[FieldChange]
    row: int | UnsetType = UNSET


def build_change(type: str, key: str, before: str | None, after: str | None, *, row: int | None = None) -> RecordChange:
    """The change from one JSON text of a record to another; None: there is no record. At least one has to be there."""
    outcome: ChangeOutcome = "created" if before is None else "removed" if after is None else "updated"
    return RecordChange(type, key, outcome, compare_records(before, after), UNSET if row is None else row)


def compare_records(before: str | None, after: str | None) -> list[FieldChange]:
    """The fields in which two JSON texts of a record differ, in their order. A member of an object, or of an object in
    a list, is named by its path, such as `variants.0.sku`. None: there is no record, and so no field."""
    return list(_compare(read_members(before or "{}"), read_members(after or "{}"), ""))


def _compare(before: Mapping[str, Raw], after: Mapping[str, Raw], prefix: str) -> Iterator[FieldChange]:
    """The reader of files has limited how deep a record is nested, so recursion is safe."""
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        inner = (_open(old), _open(new))
        if inner[0] and inner[1]:
            yield from _compare(inner[0], inner[1], f"{prefix}{name}.")
        else:
            yield FieldChange(f"{prefix}{name}", UNSET if old is None else old, UNSET if new is None else new)


def _open(value: Raw | None) -> Mapping[str, Raw] | None:
    """What is in a value that is compared member by member: an object, or a list of objects. None: it is one value."""
    text = b"" if value is None else bytes(value).lstrip()
    if text.startswith(b"{"):
        return read_members(text.decode())
    if text.startswith(b"[") and text[1:].lstrip().startswith(b"{"):
        return {str(index): item for index, item in enumerate(_decode_items(text))}
    return None
