"""Prints how an import ended, or why there was none."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.importing.responses import ImportStatus, ProblemGroup, RequestFailed

COUNT_NAMES: Final = ("total", "created", "updated", "unchanged", "skipped")


def print_report(console: Console, run: ImportStatus) -> None:
    """Prints the counts, the problems and warnings by reason, and the address of the failed rows."""
    print_line(console, f"Import {run.id} of {run.type}: {run.status}")
    if run.failure:
        print_line(console, f"The import failed ({run.failure.code}): {run.failure.detail}")
    console.print(build_counts_table(run))
    if run.error_summary:
        print_line(console, "\nProblems of the failed rows (a row may have several):")
        console.print(build_problems_table(run.error_summary))
    if run.warnings:
        print_line(console, "\nWarnings:")
        console.print(build_problems_table(run.warnings))
    if run.errors and run.failed_rows:
        print_line(console, f"\nFailed rows with their reasons (send the API key with the request):\n{run.failed_rows}")


def print_error(console: Console, failure: RequestFailed) -> None:
    """Prints why there is no import, and then every reason on a line of its own."""
    body, detail = failure.body, str(failure)
    facts = ", ".join(str(fact) for fact in (body.get("status"), body.get("code")) if fact)
    title = f"{body.get('title') or 'Refused'}{f' ({facts})' if facts else ''}"
    reasons = list_reasons(body)
    repeated = detail in (body.get("title"), ". ".join(reasons))
    print_line(console, f"sluice: {title}" if repeated else f"sluice: {title}: {detail}")
    for reason in reasons:
        print_line(console, f"  {reason}")


def list_reasons(body: dict[str, object]) -> list[str]:
    """The reasons in the body of an error, each once: `errors` and `validationErrors` usually list the same."""
    items: list[object] = []
    for member in ("errors", "validationErrors"):
        value = body.get(member)
        items += value if isinstance(value, list) else []
    return list(dict.fromkeys(str(item.get("reason", "")) for item in items if isinstance(item, dict)))


def build_counts_table(run: ImportStatus) -> Table:
    table = Table()
    values = [run.total, run.created, run.updated, run.unchanged, run.skipped, run.errors]
    for name in (*COUNT_NAMES, "failed"):
        table.add_column(name, justify="right", style="red" if name == "failed" and run.errors else "")
    table.add_row(*("?" if value is None else f"{value:,}" for value in values))
    return table


def build_problems_table(groups: Iterable[ProblemGroup]) -> Table:
    table = Table("count", "column", "code", "problem", "example")
    table.columns[0].justify = "right"
    for group in sorted(groups, key=lambda each: -each.count):
        cells = (
            f"{group.count:,}",
            group.column or group.field or "",
            group.code,
            group.message,
            format_example(group),
        )
        table.add_row(*(Text(escape_control_characters(cell), overflow="fold") for cell in cells))
    return table


def format_example(group: ProblemGroup) -> str:
    if not group.samples:
        return ""
    sample = group.samples[0]
    where = f"line {sample.line}" if sample.line else ""
    return ": ".join(part for part in (where, sample.value) if part)


def print_line(console: Console, sentence: str) -> None:
    """Prints one line without wrapping, so that addresses can be copied, and without rich's markup."""
    console.print(escape_control_characters(sentence), markup=False, highlight=False, soft_wrap=True)


def escape_control_characters(text: str) -> str:
    """Replaces control characters, which would steer the terminal: cells and server messages may hold any."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
