"""Prints how an import ended."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from app.cli.client.options import command_for
from app.cli.client.printing import print_line
from app.cli.client.tables import TableColumn, print_table
from app.cli.importing.status import ImportStatus

COUNTS: Final = (
    TableColumn("TOTAL", "total", number=True),
    TableColumn("CREATED", "created", number=True),
    TableColumn("UPDATED", "updated", number=True),
    TableColumn("UNCHANGED", "unchanged", number=True),
    TableColumn("SKIPPED", "skipped", number=True),
    TableColumn("FAILED", "errors", number=True),
)


REMOVED: Final = TableColumn("REMOVED", "removed", number=True)  # of an import that replaces or deletes


def format_example(group: Mapping[str, Any]) -> str:
    """Where a problem was first seen, and the value: `line 4: ana@`."""
    if not group["samples"]:
        return ""
    sample = group["samples"][0]
    where = f"line {sample['line']}" if sample["line"] else ""
    return ": ".join(part for part in (where, sample["value"]) if part)


PROBLEMS: Final = (
    TableColumn("COUNT", "count", number=True),
    TableColumn("COLUMN", lambda group: group["column"] or group["field"], cut=True),
    TableColumn("CODE", "code", spare=True),
    TableColumn("PROBLEM", "message", wraps=True, least=28),
    TableColumn("EXAMPLE", format_example, cut=True),
)


def print_report(run: ImportStatus, *, url: str) -> None:
    """Prints the counts, the problems and warnings by reason, and how to get the failed rows."""
    print_line(f"Import {run.id} of {run.type}: {run.held or run.status}")
    if run.failure:
        what = "is halted" if run.held else "was cancelled" if run.status == "cancelled" else "failed"
        code = "" if run.failure.code == run.status else f" ({run.failure.code})"
        print_line(f"The import {what}{code}: {run.failure.detail}")
    print_table(COUNTS if run.removed is None else (*COUNTS, REMOVED), [msgspec.to_builtins(run)])
    for title, groups in (("Problems of the failed rows", run.error_summary), ("Warnings", run.warnings)):
        if groups:
            print_line(f"\n{title}:")
            print_table(PROBLEMS, msgspec.to_builtins(sorted(groups, key=lambda each: -each.count)))
            print_hints(each.hint for each in groups)
    if run.errors:
        print_line(
            f"\nGet the failed rows with their reasons:\n  {command_for('imports failed-rows', run.id, url=url)}"
        )
    if run.links.changes:
        print_line(f"\nSee what it would change:\n  {command_for('imports changes', run.id, url=url)}")
    if run.links.commit:
        commit = command_for("commit", run.id, "--plan", str(run.plan), url=url)
        print_line(f"\nWrite it, or end it:\n  {commit}\n  {command_for('cancel', run.id, url=url)}")
    elif run.held:
        print_decisions(run.id, run.plan, url=url)


def print_hints(hints: Iterable[str]) -> None:
    told = list(filter(None, hints))
    if told:
        print_line("\n" + "\n".join(f"Hint: {hint}" for hint in told))


def print_decisions(run_id: str, plan: int, *, url: str) -> None:
    """Prints how somebody decides about a run that is held, and shows this plan."""
    resume = command_for("runs resume", run_id, "--plan", str(plan), url=url)
    print_line(f"\nGo on all the same, or end it:\n  {resume}\n  {command_for('runs cancel', run_id, url=url)}")
