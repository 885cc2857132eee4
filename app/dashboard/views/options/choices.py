"""What can be chosen for an import: how its file is read, and what happens to what is there. Each has a sentence."""

from collections.abc import Mapping
from typing import Any, Final

from app.formats.decode import ENCODINGS

Choices = tuple[tuple[str, str, str], ...]  # value, words, a sentence

DELIMITERS: Final = (
    ("auto", "As found in the file"),
    (",", "Comma ,"),
    (";", "Semicolon ;"),
    ("\t", "Tab"),
    ("|", "Vertical bar |"),
)
HEADERS: Final = (("", "The first row has the headings"), ("false", "There is no header: the first row is data"))
FORMATS: Final = (
    ("", "As found in the file"),
    ("csv", "CSV: rows of cells"),
    ("jsonl", "JSON Lines: an object a line"),
)
EXISTING: Final[Choices] = (
    ("update", "Change them", "A row whose key is known changes the fields that it has a value for."),
    ("fill", "Fill only what is empty", "A field that has a value keeps it."),
    ("leave", "Leave them alone", "Only new records are made; other rows are counted as skipped."),
)
BLANKS: Final[Choices] = (
    ("keep", "Leave the field as it is", "An empty cell says nothing."),
    ("clear", "Clear the field", "The field has no value afterwards."),
    ("empty", "Store an empty text", 'The field has the value "" afterwards.'),
)
DUPLICATES: Final[Choices] = (
    ("last", "The last row counts", "Each row goes in, one after the other."),
    ("first", "The first row counts", "Later rows with the same key are counted as skipped."),
    ("error", "Later rows fail", "They are listed as problems."),
)
UNKNOWN: Final[Choices] = (
    ("", "As the type says", "Built-in types ignore them or keep them, as their page tells."),
    ("ignore", "Ignore them", "A warning names them."),
    ("keep", "Keep them as text", "Where the type allows it."),
    ("error", "Refuse the file", "Nothing is imported until each column is known."),
)
MODES: Final[Choices] = (
    ("write", "Write records", "New records are created, and those that exist are changed."),
    (
        "delete",
        "Delete records",
        "The records that rows name by their keys are deleted, all at once at the end. Other columns do not count.",
    ),
)
ON_ERROR: Final[Choices] = (
    ("continue", "Import the others all the same", "The rows that failed can be corrected and imported afterwards."),
    ("stop", "Stop there", "The rows before it stay written, and none after it is."),
    ("rollback", "All or nothing", "Nothing is written, and what is wrong with the whole file is listed."),
)
UNDOABLE: Final[Choices] = (
    ("true", "Keep what was there before", "The import can be undone for some days."),
    ("false", "Keep nothing of it", "The import cannot be undone. It is faster where it changes many records."),
)
SAME_FILE: Final[Choices] = (
    ("allow", "Import it again", ""),
    ("report", "Import it again, with a warning", "The warning names the earlier import."),
    ("refuse", "Refuse it", "Nothing is imported. The earlier import is named."),
)
# How `EXISTING` is called in requests: overrideExisting and updateOnlyEmptyFields.
FLAGS: Final[Mapping[str, tuple[bool, bool]]] = {
    "update": (True, False),
    "fill": (True, True),
    "leave": (False, False),
}


def list_encodings() -> list[tuple[str, str]]:
    """Each once, by the name that is stored."""
    names = dict.fromkeys(ENCODINGS.values())
    return [("", "As found in the file"), *((name, name.upper().replace("WINDOWS", "Windows")) for name in names)]


def tell_existing(options: Mapping[str, Any]) -> str:
    flags = bool(options["overrideExisting"]), bool(options["updateOnlyEmptyFields"])
    return next((name for name, each in FLAGS.items() if each == flags), "update")


def word_of(choices: Choices, value: object) -> str:
    """The words of a chosen value."""
    return next((words for each, words, _ in choices if each == (value or "")), str(value))
