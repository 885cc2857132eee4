"""On which line of its file a row of an import is."""

from app.runs.model import Run
from app.storage import batches
from app.storage.database import ReadSession


async def find_line(session: ReadSession, run: Run, row: int) -> int | None:
    """The line of a row, if it can be told without reading the file: where each row from the beginning of its batch to
    the place that the run has reached is one line. No row is less than one, so then as many lines as rows were read."""
    batch = await batches.find_holding(session, run.id, row)
    if batch is None or row > run.at_row or run.at_line - run.at_row != batch["at_line"] - batch["at_row"]:
        return None
    return row - 1 + run.at_line - run.at_row
