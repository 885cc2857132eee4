"""Who wrote a record: the run, and the row of its file."""

from dataclasses import dataclass

from app.dashboard.views.runs.badge import title_of
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
    title, path = title_of(run), f"/app/runs/{run.id}"
    if row is None or run.blob is None:
        return Writer(title, path, KINDS[run.kind].word)
    return Writer(title, path, KINDS[run.kind].word, row, f"/app/imports/{run.id}/rows/{row}")
