"""Starts or finds an import, follows it to its end, prints how it ended, and ends the command with its exit code."""

from collections.abc import Callable
from typing import Final, NoReturn

import httpx
import typer
from rich.console import Console

from app.cli.client.failures import RequestFailed
from app.cli.client.http import open_client, report_failure
from app.cli.client.options import command_for
from app.cli.client.printing import print_json, print_line, print_note
from app.cli.importing.progress import OnProgress, show_progress
from app.cli.importing.report import print_report
from app.cli.importing.status import ImportResponse, ImportStatus
from app.cli.importing.watching import watch

ALL_ROWS_IMPORTED: Final = 0
SOME_ROWS_FAILED: Final = 1
NOT_IMPORTED: Final = 2
INTERRUPTED: Final = 130  # what a shell reports for Ctrl-C

Begin = Callable[[httpx.Client, OnProgress], ImportResponse]


def follow_import(begin: Begin, *, url: str, key: str, as_json: bool, wait: bool = True) -> NoReturn:
    """`begin` starts the import or finds it. Without `wait` that is all. Raises typer.Exit with the exit code."""
    answer: ImportResponse | None = None
    try:
        with show_progress(Console(stderr=True), quiet=as_json) as on_progress, open_client(url, key) as client:
            answer = begin(client, on_progress)
            if wait:
                answer = watch(client, answer, on_progress)
    except RequestFailed as failure:
        report_failure(failure, as_json=as_json)
        if answer:
            print_note(go_on_hint(answer.run, url=url))
        raise typer.Exit(NOT_IMPORTED) from None
    except KeyboardInterrupt:
        report_interrupt(answer, url=url, as_json=as_json)
        raise typer.Exit(INTERRUPTED) from None
    print_result(answer, url=url, as_json=as_json)
    raise typer.Exit(exit_code(answer.run))


def report_interrupt(answer: ImportResponse | None, *, url: str, as_json: bool) -> None:
    if answer is None:
        listed = command_for("imports list", url=url)
        print_note(f"Interrupted before the service answered. If it had the whole file, the import is in:\n  {listed}")
        return
    print_result(answer, url=url, as_json=as_json)
    print_note(f"Interrupted. The import continues on the server. {go_on_hint(answer.run, url=url)}")


def go_on_hint(run: ImportStatus, *, url: str) -> str:
    return f"Go on watching it with:\n  {command_for('imports watch', run.id, url=url)}"


def print_result(answer: ImportResponse, *, url: str, as_json: bool) -> None:
    if as_json:
        print_json(answer.body)
    elif answer.run.is_settled:
        print_report(answer.run, url=url)
    else:
        print_line(f"Import {answer.run.id} was accepted")


def exit_code(run: ImportStatus) -> int:
    """The exit code for an import's status. An import that still waits or runs is no failure."""
    if run.held == "halted" or run.status in {"error", "cancelled"}:
        return NOT_IMPORTED
    return SOME_ROWS_FAILED if run.errors else ALL_ROWS_IMPORTED
