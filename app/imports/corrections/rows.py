"""Makes corrections in the failed rows that they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.formats.records import Record
from app.imports.corrections.columns import CorrectedColumn
from app.imports.plan import Plan
from app.problems import Problem


@dataclass(slots=True)
class CorrectedRows:
    """An app.imports.row_files.failed_again.Edit; `columns` are by their headings."""

    columns: Mapping[str, CorrectedColumn]
    dropped: frozenset[int | str] = field(default_factory=frozenset)

    def concerns(self, found: Sequence[Problem]) -> bool:
        named = ((self.columns.get(each.column or ""), each) for each in found)
        return any(column is not None and column.concerns(each) for column, each in named)

    def edit(self, record: Record, found: Sequence[Problem]) -> Record:
        members = record.items() if isinstance(record, Mapping) else enumerate(record)
        cells: dict[int | str, object] = {index: cell for index, cell in members}  # noqa: C416  their types differ
        for heading, column in self.columns.items():
            of_column = [each for each in found if each.column == heading]
            if column.index in cells or of_column:
                cells[column.index] = column.correct(cells.get(column.index), found[0].row, of_column)
        if isinstance(record, Mapping):
            return {str(name): value for name, value in cells.items()}
        return [str(cell) for cell in cells.values()]


def find_dropped(plan: Plan, columns: Mapping[str, CorrectedColumn]) -> frozenset[int | str]:
    """Ignored columns. Where a mapping finds columns by their place it leaves them out, and they stay."""
    kept = bool(plan.mapping.columns) and plan.dialect.format != "jsonl"
    return frozenset() if kept else frozenset(each.index for each in columns.values() if each.ignored)
