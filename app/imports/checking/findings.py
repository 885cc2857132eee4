"""What the check of one batch finds: the problems of each row, warnings, and the rows that are good."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from app.formats.records import Batch
from app.imports.checking.cells import Cleaning
from app.imports.checking.record_keys import RowKeys
from app.imports.plan import Plan
from app.imports.rows import ApartColumn, CheckedBatch, ReferenceColumn
from app.mappings.hints.giving import HintGiver
from app.problems import Problem, shorten
from app.resources.field_types import BadCell
from app.resources.schema import Resource
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


def build_hints(resource: Resource, plan: Plan) -> HintGiver:
    """What gives hints about the problems of an import."""
    conversions = {column.heading: column.conversions for column in plan.columns if column.conversions}
    return HintGiver(resource, conversions, plan.dialect, columns=len(plan.header))


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


def keep_good_rows(
    checked: CheckedBatch,
    batch: Batch,
    findings: Findings,
    *,
    keys: RowKeys,
    data: list[str],
    incomplete: Mapping[int, Sequence[Problem]],
) -> None:
    """Moves the rows without a problem into `checked`, and the problems of the others. The references in `checked`, and
    what is kept apart there, are those of all rows."""
    checked.warnings += findings.warnings
    bad_rows = findings.problems
    if not bad_rows:
        checked.keys, checked.data, checked.rows, checked.lines = list(keys.keys), data, batch.rows, batch.lines
        checked.must_exist = set(keys.must_exist)
        checked.incomplete = {index: tuple(problems) for index, problems in incomplete.items()}
        return
    for problems in bad_rows.values():
        checked.problems.extend(problems)
    checked.failed += len(bad_rows)
    must_exist = frozenset(keys.must_exist)
    for index, key in enumerate(keys.keys):
        if index in bad_rows:
            continue
        if index in must_exist:
            checked.must_exist.add(len(checked.keys))
        if index in incomplete:
            checked.incomplete[len(checked.keys)] = tuple(incomplete[index])
        checked.keys.append(key)
        checked.data.append(data[index])
        checked.rows.append(batch.rows[index])
        checked.lines.append(batch.lines[index])
    columns: list[ReferenceColumn | ApartColumn] = [*checked.references, *checked.apart]
    for column in columns:
        column.cells = [cell for index, cell in enumerate(column.cells) if index not in bad_rows]
