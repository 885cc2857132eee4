"""Counts what a sync does to each kind of its records. It is stored with the run as JSON (`runs.report`)."""

from dataclasses import dataclass, field
from typing import Final

from app.imports.rows import BatchOutcome

LINKS: Final = "links"
ROWS: Final = ("created", "updated", "unchanged", "skipped", "failed")
COUNTS: Final = ("added", "changed", "unchanged", "removed", "skipped", "failed")


@dataclass(slots=True)
class Counts:
    """By the name of a type, or LINKS: how many records have which outcome."""

    entities: dict[str, dict[str, int]] = field(default_factory=dict)

    def of(self, entity: str) -> dict[str, int]:
        return self.entities.setdefault(entity, dict.fromkeys(COUNTS, 0))

    def sum(self, outcome: str) -> int:
        """Of the records of all types; links are in records."""
        return sum(counts[outcome] for entity, counts in self.entities.items() if entity != LINKS)

    def add(self, entity: str, outcome: BatchOutcome, *, skipped: int = 0) -> None:
        counts = self.of(entity)
        counts["added"] += outcome.created
        counts["changed"] += outcome.updated
        counts["unchanged"] += outcome.unchanged
        counts["skipped"] += outcome.skipped + skipped
        counts["failed"] += outcome.failed
