"""Tells how each column of the file of an import was found, and what it fills."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.imports.plan import is_pending, load_plan
from app.mappings.columns import Column
from app.runs.model import Run


@dataclass(frozen=True, slots=True)
class DescribedColumn:
    """A column at an index from 0. `found` is `How`, or `ignored`, or `unknown`: then `field` is where it is kept.
    `named`: what was found is the mapping's name for the column, and not one of the field's."""

    heading: str
    index: int
    found: str
    field: str = ""
    named: bool = False


def describe_columns(run: Run) -> Iterator[DescribedColumn]:
    """In the order of the file; for JSON Lines the members that have a field. Nothing until the file is there."""
    if is_pending(run):
        return
    plan = load_plan(run)
    named = bool(plan.mapping.columns)
    columns, ignored = {column.index: column for column in plan.columns}, set(plan.ignored)
    for index, heading in enumerate(plan.header):
        column = columns.get(index)
        if column is not None:
            yield describe_column(column, named=named)
        else:
            yield DescribedColumn(heading, index, "ignored" if index in ignored else "unknown")
    if not plan.header:
        yield from (describe_column(column, named=named) for column in plan.columns)


def describe_column(column: Column, *, named: bool) -> DescribedColumn:
    """Imports that release 0.1 accepted do not know how a column was found."""
    found = (column.found or "exact") if column.known else "unknown"
    return DescribedColumn(column.heading, column.index, found, column.field, named and column.known)
