"""Who wrote a record: the run, and the row of its file."""

from dataclasses import dataclass

from app.runs.kinds import KINDS
from app.runs.model import Run


@dataclass(frozen=True, slots=True)
class Writer:
    """The run that changed a record last. `row_path` leads to the row as it was sent; "" if it is not known."""

    title: str
    path: str
    word: str
    row: int = 0
    row_path: str = ""


def describe_writer(run: Run, row: int | None) -> Writer:
    title, path = name_run(run), f"/app/runs/{run.id}"
    if row is None or run.blob is None:
        return Writer(title, path, KINDS[run.kind].word)
    return Writer(title, path, KINDS[run.kind].word, row, f"/app/imports/{run.id}/rows/{row}")


def name_run(run: Run) -> str:
    """What people call it, or its file, or what it is."""
    return run.name or run.file_name or f"{KINDS[run.kind].word} of {run.type}"
