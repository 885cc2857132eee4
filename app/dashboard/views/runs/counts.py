"""The counts of a run: its bar, and the sum that they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.dashboard.words import count_of, join_words
from app.runs.kinds import Kind
from app.runs.model import Run

# Outcome -> its colour in the bar, in the order of the bar.
TONES: Final[Mapping[str, str]] = {
    "created": "created",
    "updated": "updated",
    "unchanged": "same",
    "skipped": "same",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True)
class CountView:
    """One of the outcomes, or what remains. `tone` is its colour in the bar; "" for none."""

    name: str
    number: int
    tone: str = ""


@dataclass(frozen=True, slots=True)
class CountsView:
    """total = the sum of `parts`, of the numbers at one instant. None while it is not known how many there are."""

    total: int | None
    parts: tuple[CountView, ...]

    @property
    def segments(self) -> list[tuple[str, float]]:
        """Of the bar: colours, and shares of the whole."""
        whole = self.total or 0
        return [(each.tone, each.number / whole) for each in self.parts if each.tone and whole]

    @property
    def name(self) -> str:
        """The numbers in words, for those who cannot see the bar."""
        told = [f"{each.number:,} {each.name}" for each in self.parts if each.number]
        return f"{join_words(told)} of {count_of(self.total, 'row')}" if self.total and told else "Nothing yet"


def counts_of(run: Run) -> CountsView:
    if run.kind is Kind.EXPORT:
        parts = [CountView("written", run.success, "created")]
    else:
        parts = [CountView(name, getattr(run, name), tone) for name, tone in TONES.items()]
    return CountsView(run.total, (*parts, CountView("remaining", run.remaining or 0)))
