"""Sums up what is wrong with the rows of a run: problems grouped by cause, warnings by subject, with a few samples.

A summary is JSON that is stored with the run, and each batch adds to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.problems import Problem

SAMPLES = 3  # per group
GROUPS = 200  # a file may name more columns than anybody wants to read about


@dataclass(frozen=True, slots=True)
class RunWarning:
    """Something worth knowing that is not an error. Warnings with the same code and subject are counted together."""

    code: str
    subject: str  # what it is about, e.g. a column; "" for the whole file
    message: str
    row: int | None = None
    line: int | None = None
    count: int = 1  # how many times it happened


def add_problems(summary: list[dict[str, Any]], problems: Iterable[Problem], *, file: str | None = None) -> None:
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
            group |= {"message": problem.message, "count": 0, "samples": []}
            groups[problem.code, problem.field, problem.column] = group
            summary.append(group)
        group["count"] += 1
        if len(group["samples"]) < SAMPLES:
            group["samples"].append({**of_file, "line": problem.line, "row": problem.row, "value": problem.value})


def add_warnings(summary: list[dict[str, Any]], warnings: Iterable[RunWarning], *, file: str | None = None) -> None:
    """The same for warnings: one group per code and subject."""
    of_file = {} if file is None else {"file": file}
    groups = {(group["code"], group["subject"]): group for group in summary}
    for warning in warnings:
        group = groups.get((warning.code, warning.subject))
        if group is None:
            if len(groups) >= GROUPS:
                continue
            group = {"code": warning.code, "subject": warning.subject, "message": warning.message}
            group |= {"count": 0, "samples": []}
            groups[warning.code, warning.subject] = group
            summary.append(group)
        group["count"] += warning.count
        if warning.row is not None and len(group["samples"]) < SAMPLES:
            group["samples"].append({**of_file, "line": warning.line, "row": warning.row, "message": warning.message})
