"""Every way in which a row can be bad, and the value that says so: a bad row is data, not an exception."""

from dataclasses import dataclass

# Stable codes, shown to integrators: code -> the sentence template. `{}` names come from the place that finds it.
PROBLEMS: dict[str, str] = {
    # Found while reading the file
    "encoding_error": "Byte {byte} at position {position} of the row is not valid {encoding}",
    "invalid_character": "The row holds a character that cannot be stored ({character})",
    "quote_error": "{reason}",
    "after_quote_error": "The row stands inside a quoted cell that is broken since line {line}",
    "missing_cell": "The row has {found} cells, the header has {expected}",
    "extra_cell": "The row has {found} cells, the header has {expected}",
    "cell_too_long": "A cell is longer than {limit} characters",
    "record_too_long": "The row is longer than {limit} bytes",
    "json_error": "The line is not one JSON object: {reason}",
    "duplicate_member": "The object names {name} twice",
    "too_deep": "The object is nested deeper than {limit} levels",
    "too_many_members": "The object has more than {limit} members, those of inner objects and lists counted",
    "path_too_long": "The path {path}… has more than {limit} characters",
    # Found in a cell
    "type_error": "{reason}",
    "required": "A value is required",
    "too_long": "The value has {found} characters, at most {limit} are allowed",
    "too_small": "The value is below the minimum of {limit}",
    "too_large": "The value is above the maximum of {limit}",
    "not_an_option": "The value is not one of {options}",
    "key_too_long": "The key has {found} characters, at most {limit} are allowed",
    "unknown_column": "The type has no field of this name",
    # Found against the file or the store
    "missing_key": "The row names no {keys}",
    "unknown_id": "There is no record with this id",
    "position_gap": "Position {position} of {list} is filled and not the one before it, in a new record",
    "duplicate_key": "The key stands already in row {row} of this file",
    "conflict": "The record exists already with another {field}",
    "superseded": "An import accepted later has written this record already",
}

VALUE_SHOWN = 200  # characters of a bad value that a report repeats


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one row.

    `line` is the physical line on which the record starts (the header's is 1), `row` the data record's number (the
    first is 1); `column` is the file's heading, `field` the resource's field id; both None when the whole row is meant.
    `key` is what the row names its record by, as far as that could be read.
    """

    line: int
    row: int
    column: str | None
    field: str | None
    code: str
    message: str
    value: str | None
    key: str | None = None


def shown(value: str) -> str:
    """A bad value as a report may repeat it: at most VALUE_SHOWN characters."""
    return value if len(value) <= VALUE_SHOWN else value[: VALUE_SHOWN - 1] + "…"
