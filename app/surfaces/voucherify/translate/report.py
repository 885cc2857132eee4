"""Writes the report of a bulk update: one line of CSV per item."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping

from app.imports.results.row_outcomes import RowOutcome
from app.problems import PROBLEMS
from app.surfaces.voucherify.translate.actions import describe_problems

COLUMNS = ("source_id", "found", "updated", "reason")


async def write_report(batches: AsyncIterator[list[RowOutcome]]) -> AsyncIterator[bytes]:
    """CSV with a header, one batch of the import at a time."""
    yield format_rows([COLUMNS])
    async for outcomes in batches:
        yield format_rows(map(report_row, outcomes))


def report_row(outcome: RowOutcome) -> tuple[str, str, str, str]:
    record, failed = outcome.record, bool(outcome.problems)
    source = record.get("source_id", "") if isinstance(record, Mapping) else ""
    return (
        source if isinstance(source, str) else "",
        format_boolean(not failed and not outcome.created),
        format_boolean(not failed and not outcome.superseded),
        PROBLEMS["superseded"] if outcome.superseded else describe_problems(outcome.problems),
    )


def format_boolean(value: bool) -> str:
    return "true" if value else "false"


def format_rows(rows: Iterable[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "backslashreplace")
