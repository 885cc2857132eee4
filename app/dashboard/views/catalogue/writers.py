"""Who wrote a record: the run, and the row of its file."""

from dataclasses import dataclass

from app.dashboard.views.runs.badge import title_of
from app.dashboard.words import write_number
from app.runs.kinds import KINDS
from app.runs.model import Run


@dataclass(frozen=True, slots=True)
class Writer:
    """The run that changed a record last. `row_path` leads to the row as it was sent; "" if it is not known.
    `place` is that row in words."""

    title: str
    path: str
    word: str
    place: str = ""
    row_path: str = ""


def describe_writer(run: Run, row: int | None, line: int | None = None) -> Writer:
    """`line` is that of the row, where it is known: problems are told by lines, too."""
    title, path = title_of(run), f"/app/runs/{run.id}"
    if row is None or run.blob is None:
        return Writer(title, path, KINDS[run.kind].word)
    place = f"row {write_number(row)}" if line is None else f"line {write_number(line)}"
    return Writer(title, path, KINDS[run.kind].word, place, f"/app/imports/{run.id}/rows/{row}")
