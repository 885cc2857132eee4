"""Every way in which a row can be bad, and the value that reports it: a bad row is data, not an exception."""

from dataclasses import dataclass

# Codes are stable and shown to integrators: code -> the sentence. Whoever finds the problem fills in the `{}`.
PROBLEMS: dict[str, str] = {
    # Found while the file is read
    "encoding_error": "Byte {byte} at position {position} of the row is not valid {encoding}",
    "invalid_character": "The row contains {character}, a character that cannot be stored",
    "quote_error": "{reason}",
    "after_quote_error": "The row was not read, because the quote that opens on line {line} is broken",
    "missing_cell": "The row has {found} cells, but the header has {expected}",
    "extra_cell": "The row has {found} cells, but the header has {expected}",
    "cell_too_long": "A cell is longer than {limit} characters",
    "record_too_long": "The row is longer than {limit} bytes",
    "json_error": "The line is not a JSON object: {reason}",
    "duplicate_member": "The object has the member `{name}` more than once",
    "too_deep": "The object is nested more than {limit} levels deep",
    "too_many_members": "The object has more than {limit} members, including those of nested objects and lists",
    "path_too_long": "The path `{path}…` is longer than {limit} characters",
    # Found in a cell
    "type_error": "{reason}",
    "required": "A value is required",
    "too_long": "The value has {found} characters, but at most {limit} are allowed",
    "too_small": "The value must be at least {limit}",
    "too_large": "The value must be at most {limit}",
    "not_an_option": "The value must be one of {options}",
    "key_too_long": "The key has {found} characters, but at most {limit} are allowed",
    "unknown_column": "The type has no field with this name",
    # Found by comparing the row with other rows or with stored records
    "missing_key": "The row has no key: fill {keys}",
    "unknown_id": "There is no record with this id",
    "position_gap": "Position {position} of `{list}` is filled, but position {previous} is empty, so a new record would "
    "have a gap",
    "duplicate_key": "Row {row} of this file has the same key",
    "conflict": "The record already exists with a different `{field}`",
    "superseded": "An import accepted later has already written this record",
}

VALUE_CHARACTERS = 200  # of a bad value that a report repeats


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one row.

    `line` is the physical line on which the record starts (the header is line 1). `row` is the number of the data
    record (the first is 1). `column` is the heading in the file and `field` the id of the field; both are None when
    the whole row is meant. `key` is what the row calls its record, as far as that could be read.
    """

    line: int
    row: int
    column: str | None
    field: str | None
    code: str
    message: str
    value: str | None
    key: str | None = None


def shorten(value: str) -> str:
    """The value as a report may repeat it: at most VALUE_CHARACTERS characters."""
    return value if len(value) <= VALUE_CHARACTERS else value[: VALUE_CHARACTERS - 1] + "…"
