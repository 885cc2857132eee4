"""What the form of an export offers: types, templates, connections, fields, and the words for each choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.connections.connection import StoredConnection
from app.connections.target import DELIVERS
from app.dashboard.views.connections.fields import TRANSPORTS
from app.dashboard.words import count_of
from app.formats.decode import ENCODINGS
from app.mappings.mapping import DEFAULT, INLINE
from app.resources.schema import Resource
from app.storage.counts.records import RecordCount

Choices = Sequence[tuple[str, str]]  # values and their words

FIRST: Final = "contacts"  # the type that is offered while there are no records
NOT_EMPTY: Final = "isNotEmpty"  # of the form: to the API it is isEmpty with false
OPERATORS: Final[Choices] = (
    ("=", "is"),
    ("!=", "is not"),
    (">", "is more than"),
    (">=", "is at least"),
    ("<", "is less than"),
    ("<=", "is at most"),
    ("in", "is one of"),
    ("isEmpty", "is empty"),
    (NOT_EMPTY, "is not empty"),
)
FORMATS: Final = (
    ("csv", "CSV", "One row for each record, as an import reads it."),
    ("jsonl", "JSON Lines", "All that is stored: null, empty text and numbers stay what they are."),
)
# What is not chosen is as the mapping template says, or else as it stands there.
DELIMITERS: Final[Choices] = (
    ("", "As the template says, or comma"),
    *(("comma", "Comma ,"), ("semicolon", "Semicolon ;"), ("tab", "Tab"), ("pipe", "Vertical bar |")),
)
ENCODING_CHOICES: Final[Choices] = [
    ("", "As the template says, or UTF-8"),
    *((name, name.upper().replace("WINDOWS", "Windows")) for name in dict.fromkeys(ENCODINGS.values())),
]
EVERY_FIELD: Final = (DEFAULT, "Every field, under its id")
AS_BEFORE: Final = (INLINE, "The mapping of the export before")


@dataclass(frozen=True, slots=True)
class ExportChoices:
    """Of one type."""

    types: Choices
    templates: Choices
    connections: Choices
    fields: Choices


def list_types(counts: Mapping[str, RecordCount]) -> Choices:
    return [(name, f"{name} ({show_count(count)})") for name, count in counts.items()]


def find_fullest(counts: Mapping[str, RecordCount]) -> str:
    """The type that has most records, which is what somebody who says nothing wants to export; FIRST if none has."""
    fullest = max(counts, key=lambda name: counts[name].count)
    return fullest if counts[fullest].count else FIRST


def show_count(count: RecordCount) -> str:
    words = count_of(count.count, "record")
    return {"exact": words, "estimated": f"about {words}", "at_least": f"more than {words}"}.get(count.precision, words)


def list_templates(rows: Sequence[Mapping[Any, Any]], *, inline: bool) -> Choices:
    """`inline`: the export before had a mapping of its own."""
    stored = [(str(row["id"]), str(row["name"])) for row in rows]
    return [EVERY_FIELD, *([AS_BEFORE] if inline else []), *stored]


def list_destinations(connections: Sequence[StoredConnection]) -> Choices:
    """Those over which files are delivered."""
    named = [(each.id, each.declaration.name, each.declaration.settings["transport"]) for each in connections]
    return [("", "None"), *((id_, f"{name} ({TRANSPORTS[how][0]})") for id_, name, how in named if how in DELIVERS)]


def list_fields(resource: Resource) -> Choices:
    return [("", "None"), *((each.id, each.id) for each in resource.fields if not each.alias_of)]


def keep_chosen(choices: Choices, chosen: str, words: str) -> Choices:
    """The choices, and what was chosen before if it is none of them any more: the engine says what is wrong with it."""
    known = not chosen or any(value == chosen for value, _ in choices)
    return choices if known else [*choices, (chosen, words)]
