"""What the check of one batch finds: the problems of each row, and warnings."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from app.formats.records import Batch
from app.imports.checking.cells import Cleaning
from app.problems import Problem, shorten
from app.resources.field_types import BadCell
from app.runs.summary import RunWarning


class Findings:
    """Rows are named by their index in the batch. `caller_keys` is what each row calls its record."""

    def __init__(self, batch: Batch, caller_keys: Sequence[str]) -> None:
        self._rows, self._lines, self._caller_keys = batch.rows, batch.lines, caller_keys
        self.problems: defaultdict[int, list[Problem]] = defaultdict(list)
        self.warnings: list[RunWarning] = []

    def add(
        self,
        index: int,
        bad: BadCell,
        *,
        column: str | None = None,
        field: str | None = None,
        value: object = None,
    ) -> None:
        """Fails a row. `column` is the heading, `field` the id of the field, `value` what was sent."""
        self.problems[index].append(self.build_problem(index, bad, column=column, field=field, value=value))

    def warn_cleaned(self, heading: str, cleanings: Iterable[Cleaning]) -> None:
        """Tells once for each column what was cleaned in it, with the first of its rows as a sample."""
        for code, message, indexes in cleanings:
            row, line = self._rows[indexes[0]], self._lines[indexes[0]]
            self.warnings.append(RunWarning(code, shorten(heading), message, row, line, count=len(indexes)))

    def build_problem(
        self,
        index: int,
        bad: BadCell,
        *,
        column: str | None = None,
        field: str | None = None,
        value: object = None,
    ) -> Problem:
        return Problem(
            line=self._lines[index],
            row=self._rows[index],
            column=column,
            field=field,
            code=bad.code,
            message=bad.message,
            value=None if value is None else shorten(str(value)),
            key=shorten(self._caller_keys[index]),
        )


def unreadable_problems(batch: Batch) -> list[Problem]:
    return [
        Problem(
            line=record.line,
            row=record.row,
            column=None,
            field=None,
            code=record.code,
            message=record.message,
            value=shorten(record.raw),
        )
        for record in batch.unreadable
    ]
