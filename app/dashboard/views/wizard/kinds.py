"""What somebody can begin: each with a new one, and with one like an earlier one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class JobKind:
    """`ways` are words and addresses; the first one is the main one."""

    title: str
    sentence: str
    scope: str
    ways: tuple[tuple[str, str], ...]


KINDS_OF_JOBS: Final = (
    JobKind(
        "Import",
        "Take records from a file: CSV or JSON Lines, uploaded or fetched from another server.",
        "imports:write",
        (("New import", "/app/imports/new"), ("From a previous import", "/app/imports/again")),
    ),
    JobKind(
        "Export",
        "Write records into a file, to download it or to deliver it to other servers.",
        "exports:write",
        (("New export", "/app/exports/new"), ("From a previous export", "/app/exports/again")),
    ),
    JobKind(
        "Create a mapping template",
        "Say once which column is what, for imports and exports to come. Nothing is written.",
        "mappings:write",
        (("New template", "/app/templates/new"),),
    ),
)


def list_kinds(has_scope: Callable[[str], bool]) -> list[JobKind]:
    """Those that somebody has a right to."""
    return [each for each in KINDS_OF_JOBS if has_scope(each.scope)]
