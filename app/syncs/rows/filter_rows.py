"""Checks the rows of a filter file: each becomes a class, a value of it, and a link of an item to that value."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

from app.formats.records import Batch
from app.imports.rows import CheckedBatch
from app.mappings.columns import Column
from app.problems import WARNINGS
from app.resources.field_types import compile_key
from app.resources.schema import Field
from app.runs.summary import RunWarning
from app.syncs.rows.headings import CLASS_VALUES, find_filter_columns
from app.syncs.rows.item_rows import read_code
from app.syncs.rows.rules import RowRules

read_name = compile_key(Field("itemClass", "text"))
# The columns of a row as it is checked: the key that is made of class and value, and these two, and the sequence.
CHECKED: Final = ("id", "itemClass", "value", "sequence")


@dataclass(slots=True)
class CheckedFilters:
    """A batch of a filter file after its rows are checked. `values` has the good rows, one for each row of the file,
    and the problems of the others; `classes` and `codes` run parallel to it. `skipped` rows lack a class or a value.
    `failed` are the rows that name something and failed: their item, their class and their value, "" for none."""

    values: CheckedBatch
    classes: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    skipped: int = 0
    failed: list[tuple[str, str, str]] = field(default_factory=list)


class FilterRows:
    """All checks of one filter file. Raises Refused("invalid") for a header that cannot be used."""

    def __init__(self, header: Sequence[str], rules: RowRules) -> None:
        found = find_filter_columns(header)
        self.unknown, self._indexes = found.unknown, found.indexes
        headings = {role: header[indexes[0]] for role, indexes in found.indexes.items() if indexes}
        columns = tuple(
            Column(headings.get(name, name), name, index, conversions=rules.conversions | {"blank": "keep"})
            for index, name in enumerate(CHECKED)
        )
        self._checker = replace(rules, blank_cells="keep").build_checker(CLASS_VALUES, CHECKED, columns)
        self.max_rows = self._checker.max_rows

    def check(self, batch: Batch) -> CheckedFilters:
        """Never raises for what is in the file. Blocking."""
        records = cast("Sequence[Sequence[str]]", batch.records)
        named = [self._read_names(record) for record in records]
        skipped = [index for index, names in enumerate(named) if not all(names[:2])]
        warnings = []
        if skipped:
            row, line = batch.rows[skipped[0]], batch.lines[skipped[0]]
            warnings.append(RunWarning("no_filter", "", WARNINGS["no_filter"], row, line, count=len(skipped)))
        kept = [index for index, names in enumerate(named) if all(names[:2])]
        batch.records = [self._build_record(records[index], named[index]) for index in kept]
        batch.rows, batch.lines = [batch.rows[index] for index in kept], [batch.lines[index] for index in kept]
        values = self._checker.check_batch(batch)
        values.warnings += warnings
        good = set(values.rows)
        checked = CheckedFilters(values, skipped=len(skipped))
        for row, index in zip(batch.rows, kept, strict=True):
            names = named[index]
            if row in good:
                checked.classes.append(names[0])
                checked.codes.append(names[2])
            else:
                checked.failed.append((names[2], names[0], build_value_key(names[0], names[1])))
        return checked

    def _read_names(self, record: Sequence[str]) -> tuple[str, str, str]:
        """The class, the value and the item of a row, each "" if it is blank."""
        return (
            read_name(self._pick(record, "itemClass")),
            read_name(self._pick(record, "value")),
            read_code(self._pick(record, "itemCode")),
        )

    def _build_record(self, record: Sequence[str], names: tuple[str, str, str]) -> list[str]:
        class_name, value, _ = names
        return [build_value_key(class_name, value), class_name, value, self._pick(record, "sequence")]

    def _pick(self, record: Sequence[str], role: str) -> str:
        """The cell of the preferred column, or of the first fallback that is filled."""
        cells = [record[index] for index in self._indexes[role]]
        return next((cell for cell in cells if cell and not cell.isspace()), "")


def build_value_key(class_name: str, value: str) -> str:
    """The key of a value: no two pairs of class and value make the same. `Color:Red`, `Size%3A EU:42`."""
    return f"{class_name.replace('%', '%25').replace(':', '%3A')}:{value}"
