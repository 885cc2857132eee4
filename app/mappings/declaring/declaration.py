"""The wire form of a mapping: read from JSON with every mistake named, and written back."""

import json
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from app.errors import Complaint, Refused, describe, join_choices
from app.formats.characters import UNSTORABLE
from app.mappings.conversions import CASES, CONVERSIONS, must_be_text
from app.mappings.declaring.options import OPTIONS
from app.mappings.mapping import INLINE, Conversions, MappedColumn, Mapping
from app.resources.field_types import BadCell, convert_any_value
from app.resources.invisible import clean_exact

MOST_BYTES: Final = 262_144  # of a mapping, as JSON
MOST_COLUMNS: Final = 2_000  # as many as a file may have
LONGEST_HEADING: Final = 255
LONGEST_FIELD: Final = 255
# A template is sent and shown in this form. Its name and type are checked where templates are stored.
MEMBERS: Final = ("name", "type", "hasHeader", "columns", "constants", "options")
COLUMN_MEMBERS: Final = ("column", "position", "field", "ignore", *CONVERSIONS)
NAMED_MISTAKES: Final = 100  # of a mapping; the rest is counted


class Complaints(list[Complaint]):
    """What is wrong with the JSON whose members have this prefix."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def add(self, path: str, requirement: str) -> None:
        path = f"{self._prefix}{path}"
        self.append(Complaint(path, f"`{path}` {requirement}"))


def parse_mapping(body: object, *, prefix: str = "") -> Mapping:
    """A mapping as JSON was read: `id` is `inline`, and the constants are what was sent, not yet what their fields make
    of it (`fit_mapping`). `prefix` comes before the names of members in complaints, such as `mapping.`.

    Raises one Refused("invalid") that names every mistake.
    """
    complaints = Complaints(prefix)
    if not isinstance(body, dict):
        name = prefix.rstrip(".") or "body"
        raise _refuse([Complaint(name, f"`{name}` must be a JSON object with `columns`")])
    if len(json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")) > MOST_BYTES:
        name = prefix.rstrip(".") or "columns"
        raise _refuse([Complaint(name, f"`{name}` must have at most {MOST_BYTES:,} bytes")])
    find_unknown(body, MEMBERS, "", complaints)
    has_header = read_flag(body, "hasHeader", "hasHeader", complaints, default=True)
    columns = read_columns(body.get("columns"), complaints)
    check_twice(columns, complaints)
    if not has_header:
        check_positions(columns, complaints)
    constants = read_constants(body.get("constants"), complaints)
    options = read_options(body.get("options"), complaints)
    if complaints:
        raise _refuse(complaints)
    return Mapping(columns, "loose", has_header, constants=constants, options=options, id=INLINE)


def mapping_to_json(mapping: Mapping) -> dict[str, object]:
    """The wire form, without name and type and without what is not set, for msgspec to encode."""
    constants = {name: msgspec.Raw(value.encode()) for name, value in mapping.constants.items()}
    return {
        "hasHeader": mapping.has_header,
        "columns": [column_to_json(column) for column in mapping.columns],
        **({"constants": constants} if constants else {}),
        **({"options": mapping.options} if mapping.options else {}),
    }


def column_to_json(column: MappedColumn) -> dict[str, object]:
    found: dict[str, object] = {"column": column.heading} if column.position is None else {"position": column.position}
    return found | ({"field": column.field} if column.field else {"ignore": True}) | column.conversions


def find_unknown(body: dict[str, Any], known: Collection[str], owner: str, complaints: Complaints) -> None:
    for name in body:
        if name not in known:
            shown = name[:50].encode("utf-8", "replace").decode()
            complaints.add(f"{owner}{shown}", f"is not a member of a mapping. Use {join_choices(known)}")


def read_flag(body: dict[str, Any], name: str, path: str, complaints: Complaints, *, default: bool) -> bool:
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return default if value is None else value
    complaints.add(path, "must be true or false")
    return default


def read_columns(body: object, complaints: Complaints) -> tuple[MappedColumn, ...]:
    if not isinstance(body, list) or not body:
        complaints.add("columns", "must be a list with at least one column")
        return ()
    if len(body) > MOST_COLUMNS:
        complaints.add("columns", f"must have at most {MOST_COLUMNS:,} columns")
        return ()
    columns = [read_column(each, f"columns[{index}]", complaints) for index, each in enumerate(body)]
    return tuple(column for column in columns if column is not None)


def read_column(body: object, path: str, complaints: Complaints) -> MappedColumn | None:
    if not isinstance(body, dict):
        complaints.add(path, "must be an object with `column` and `field`")
        return None
    before = len(complaints)
    find_unknown(body, COLUMN_MEMBERS, f"{path}.", complaints)
    heading, position = body.get("column"), body.get("position")
    if (heading is None) == (position is None):
        complaints.add(path, "must have either `column` or `position`")
    check_text(heading, LONGEST_HEADING, f"{path}.column", complaints)
    if position is not None and not (type(position) in (int, Decimal) and position in range(MOST_COLUMNS)):
        complaints.add(f"{path}.position", f"must be a whole number from 0 to {MOST_COLUMNS - 1:,}")
    field, ignore = body.get("field"), read_flag(body, "ignore", f"{path}.ignore", complaints, default=False)
    if ignore == (field is not None):
        complaints.add(path, "must have either `field` or `ignore`")
    check_text(field, LONGEST_FIELD, f"{path}.field", complaints)
    conversions = read_conversions(body, path, complaints)
    if ignore and conversions:
        complaints.add(path, f"is ignored, so it cannot have `{next(iter(conversions))}`")
    if len(complaints) > before:
        return None
    number = None if position is None else int(position)
    return MappedColumn("" if heading is None else clean_exact(heading).strip(), field or "", number, conversions)


def check_text(value: object, most: int, path: str, complaints: Complaints) -> None:
    mistake = None if value is None else must_be_text(most, blank=False)(value)
    if mistake:
        complaints.add(path, mistake)


def read_conversions(body: dict[str, Any], path: str, complaints: Complaints) -> Conversions:
    """Those that do something. The value of a conversion that is not right is named, and left out."""
    conversions: Conversions = {}
    for name, conversion in CONVERSIONS.items():
        value = body.get(name)
        mistake = None if value is None else conversion.find_mistake(value)
        if mistake:
            complaints.add(f"{path}.{name}", mistake)
        elif value not in (None, False, {}):
            conversions[name] = value
    find_unreachable(conversions, path, complaints)
    return conversions


def find_unreachable(conversions: Conversions, path: str, complaints: Complaints) -> None:
    """Texts in `values` that no cell can have when it gets there."""
    changes: list[tuple[str, Callable[[str], str]]] = []
    if "trim" in conversions:
        changes.append(("trim", str.strip))
    if "case" in conversions:
        changes.append(("case", CASES[conversions["case"]]))
    for text in conversions.get("values", ()):
        for name, change in changes:
            if change(text) != text:
                shown = f'"{text[:40]}" is found in no cell, because `{name}` is applied first'
                complaints.add(f"{path}.values", f"must have texts as they are after `{name}`: {shown}")
                return


def check_twice(columns: Sequence[MappedColumn], complaints: Complaints) -> None:
    """One column of the file cannot be mapped twice, nor can two columns fill one field."""
    mapped: set[str] = set()
    first: dict[str, MappedColumn] = {}
    for column in columns:
        if column.name in mapped:
            complaints.add("columns", f"must not have `{column.name}` twice")
        mapped.add(column.name)
        before = first.setdefault(column.field, column)
        if column.field and before is not column:
            complaints.add(
                "columns", f"must not fill the field `{column.field}` twice: by `{before.name}` and by `{column.name}`"
            )


def check_positions(columns: Sequence[MappedColumn], complaints: Complaints) -> None:
    named = next((column for column in columns if column.position is None), None)
    if named is not None:
        requirement = f"must have a `position` where `hasHeader` is false, in place of the column `{named.name}`"
        complaints.add("columns", requirement)


def read_constants(body: object, complaints: Complaints) -> dict[str, str]:
    """The values as JSON text, by field."""
    if body is None:
        return {}
    if not isinstance(body, dict):
        complaints.add("constants", "must be an object with a value for each field")
        return {}
    constants = {}
    for name, value in body.items():
        number = Decimal(repr(value)) if isinstance(value, float) else value
        text = convert_any_value(number)
        shown = name[:50].encode("utf-8", "replace").decode()
        if UNSTORABLE.search(name) or isinstance(number, dict | list | None) or isinstance(text, BadCell):
            complaints.add(f"constants.{shown}", "must be text, a number, true or false")
        else:
            constants[name] = text
    return constants


def read_options(body: object, complaints: Complaints) -> dict[str, Any]:
    if body is None:
        return {}
    if not isinstance(body, dict):
        complaints.add("options", "must be an object")
        return {}
    find_unknown(body, tuple(OPTIONS), "options.", complaints)
    options = {name: body[name] for name in OPTIONS if body.get(name) is not None}
    for name, value in options.items():
        mistake = OPTIONS[name](value)
        if mistake:
            complaints.add(f"options.{name}", mistake)
    return options


def _refuse(complaints: Sequence[Complaint]) -> Refused:
    more = len(complaints) - NAMED_MISTAKES
    named = list(complaints[:NAMED_MISTAKES])
    if more > 0:
        named.append(Complaint("", f"There are {more:,} more mistakes in the mapping"))
    return Refused("invalid", describe(named[:10]), named)
