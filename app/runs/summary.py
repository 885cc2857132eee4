"""Sums up what is wrong with the rows of a run: problems grouped by cause, warnings by subject, with a few samples.

A summary is JSON that is stored with the run, and each batch adds to it. A group also keeps the first few values that
differ, as `seen`, of which nobody but the hints is told (app/mappings/hints).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.problems import VALUE_CHARACTERS, Problem

SAMPLES = 3  # per group
SEEN = 8  # different values per group
GROUPS = 200  # a file may name more columns than anybody wants to read about

SummaryGroup = dict[str, Any]  # of a summary


@dataclass(frozen=True, slots=True)
class RunWarning:
    """Something worth knowing that is not an error. Warnings with the same code and subject are counted together."""

    code: str
    subject: str  # what it is about, e.g. a column; "" for the whole file
    message: str
    row: int | None = None
    line: int | None = None
    count: int = 1  # how many times it happened
    advice: Mapping[str, Any] = field(default_factory=dict)  # `hint` and `fix`, as a group of problems has them

    @property
    def told(self) -> str:
        return ". ".join(filter(None, (self.message, self.advice.get("hint"))))


def add_problems(summary: list[SummaryGroup], problems: Iterable[Problem], *, file: str | None = None) -> None:
    """Counts problems into `summary`: one group per code, field and column, each with its first three samples. `file`
    is named in them where a run has several."""
    of_file = {} if file is None else {"file": file}
    groups = {(group["code"], group["field"], group["column"]): group for group in summary}
    for problem in problems:
        group = groups.get((problem.code, problem.field, problem.column))
        if group is None:
            if len(groups) >= GROUPS:
                continue
            group = {"code": problem.code, "field": problem.field, "column": problem.column}
            group |= {"message": problem.message, "count": 0, "samples": [], "seen": []}
            groups[problem.code, problem.field, problem.column] = group
            summary.append(group)
        group["count"] += 1
        if len(group["samples"]) < SAMPLES:
            group["samples"].append({**of_file, "line": problem.line, "row": problem.row, "value": problem.value})
        add_seen(group.get("seen"), problem.value)


def told_groups(summary: Iterable[Mapping[str, Any]]) -> list[SummaryGroup]:
    """The groups as everybody is told of them."""
    return [{name: member for name, member in group.items() if name != "seen"} for group in summary]


def add_seen(seen: list[str] | None, value: str | None) -> None:
    """A value that may have been cut is not kept. Groups that release 0.1 has begun keep none."""
    if seen is not None and value and len(seen) < SEEN and len(value) < VALUE_CHARACTERS and value not in seen:
        seen.append(value)


def add_warnings(summary: list[SummaryGroup], warnings: Iterable[RunWarning], *, file: str | None = None) -> None:
    """The same for warnings: one group per code and subject."""
    of_file = {} if file is None else {"file": file}
    groups = {(group["code"], group["subject"]): group for group in summary}
    for warning in warnings:
        group = groups.get((warning.code, warning.subject))
        if group is None:
            if len(groups) >= GROUPS:
                continue
            group = {"code": warning.code, "subject": warning.subject, "message": warning.message}
            group |= {"count": 0, "samples": [], **warning.advice}
            groups[warning.code, warning.subject] = group
            summary.append(group)
        group["count"] += warning.count
        if warning.row is not None and len(group["samples"]) < SAMPLES:
            group["samples"].append({**of_file, "line": warning.line, "row": warning.row, "message": warning.message})
