"""What is wrong with the rows of a run, grouped by cause."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from app.dashboard.sentences import headline_of_group, remedy_of_problem, remedy_of_warning, tell_hint
from app.runs.model import Run

MOST_GROUPS: Final = 20  # on a page


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with the same cause. `seen` has different values of the first of them, `line` is where the first one is."""

    code: str
    column: str  # "" if the whole row is meant
    headline: str
    message: str  # of the first row
    count: int
    seen: tuple[str, ...]
    file: str  # "" where a run has one
    line: int | None
    remedy: str
    action: str = ""  # what a program can do about it: app.mappings.hints.hint.Action

    @property
    def query(self) -> str:
        """Finds its rows in the list of problems."""
        return urlencode({"code": self.code} | ({"column": self.column} if self.column else {}))


@dataclass(frozen=True, slots=True)
class Warned:
    """Something worth knowing that is not an error."""

    message: str
    count: int
    remedy: str


def groups_of(run: Run) -> list[Group]:
    """The most frequent first."""
    return sorted(map(group_from, run.error_summary), key=lambda group: -group.count)


def group_from(stored: Any) -> Group:
    samples, column = stored["samples"], stored["column"] or stored["field"] or ""
    first = samples[0] if samples else {}
    seen = dict.fromkeys(each["value"] or "" for each in samples) if column else ()
    return Group(
        code=stored["code"],
        column=column,
        headline=headline_of_group(stored["code"]),
        message=stored["message"],
        count=stored["count"],
        seen=tuple(seen),
        file=first.get("file", ""),
        line=first.get("line"),
        remedy=tell_hint(stored["hint"]) if stored.get("hint") else remedy_of_problem(stored["code"]),
        action=stored.get("fix", {}).get("action", ""),
    )


def warnings_of(run: Run) -> Iterator[Warned]:
    for each in run.warnings:
        remedy = tell_hint(each["hint"]) if each.get("hint") else remedy_of_warning(each["code"])
        yield Warned(each["message"], each["count"], remedy)
