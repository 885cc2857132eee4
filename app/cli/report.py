"""Tells a person how an import ended, or why there is none."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.answers import Group, NotDone, Run

COUNTS: Final = ("total", "created", "updated", "unchanged", "skipped")


def report(console: Console, run: Run) -> None:
    """The counts, the bad rows by reason, the warnings, and where the failed rows are."""
    say(console, f"Import {run.id} of {run.type}: {run.status}")
    if run.failure:
        say(console, f"It failed ({run.failure.code}): {run.failure.detail}")
    console.print(summary(run))
    if run.error_summary:
        say(console, "\nWhat is wrong with the failed rows (one row may be wrong in several ways):")
        console.print(grouped(run.error_summary))
    if run.warnings:
        say(console, "\nWarnings:")
        console.print(grouped(run.warnings))
    if run.errors and run.failed_rows:
        say(console, f"\nThe failed rows, as sent and with their reasons (needs the key):\n{run.failed_rows}")


def complain(console: Console, refused: NotDone) -> None:
    """Why there is no import, one line for each complaint."""
    status, code = refused.body.get("status"), refused.body.get("code")
    facts = ", ".join(str(fact) for fact in (status, code) if fact)
    title = f"{refused.body.get('title') or 'Refused'}{f' ({facts})' if facts else ''}"
    say(console, f"sluice: {title}: {refused}" if str(refused) != refused.body.get("title") else f"sluice: {title}")
    for path, reason in complaints(refused.body):
        say(console, f"  {path}: {reason}" if path else f"  {reason}")


def complaints(body: dict[str, object]) -> list[tuple[str, str]]:
    """Path and reason of each complaint; the two members usually say the same, so each is told once."""
    items: list[object] = []
    for member in ("errors", "validationErrors"):
        value = body.get(member)
        items += value if isinstance(value, list) else []
    found = [(str(item.get("path", "")), str(item.get("reason", ""))) for item in items if isinstance(item, dict)]
    return list(dict.fromkeys(found))


def summary(run: Run) -> Table:
    table = Table()
    values = [run.total, run.created, run.updated, run.unchanged, run.skipped, run.errors]
    for name in (*COUNTS, "failed"):
        table.add_column(name, justify="right", style="red" if name == "failed" and run.errors else "")
    table.add_row(*("?" if value is None else f"{value:,}" for value in values))
    return table


def grouped(groups: Iterable[Group]) -> Table:
    table = Table("count", "column", "code", "what", "for example")
    table.columns[0].justify = "right"
    for group in sorted(groups, key=lambda each: -each.count):
        cells = (f"{group.count:,}", group.column or group.field or "", group.code, group.message, example(group))
        table.add_row(*(Text(printable(cell), overflow="fold") for cell in cells))
    return table


def example(group: Group) -> str:
    if not group.samples:
        return ""
    sample = group.samples[0]
    where = f"line {sample.line}" if sample.line else ""
    return ": ".join(part for part in (where, sample.value) if part)


def say(console: Console, sentence: str) -> None:
    """One line as it is: not wrapped, so that addresses can be copied, and without rich's own markup."""
    console.print(printable(sentence), markup=False, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """The text with what would steer a terminal spelt out: a file's cells and a server's words are not ours."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
