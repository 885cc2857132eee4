"""The report of a bulk update: a line of CSV for each item."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping

from app.imports.results.row_outcomes import RowOutcome
from app.problems import PROBLEMS
from app.surfaces.voucherify.translate.actions import reason

COLUMNS = ("source_id", "found", "updated", "reason")


async def report_lines(batches: AsyncIterator[list[RowOutcome]]) -> AsyncIterator[bytes]:
    """CSV with a header, a batch of the import at a time."""
    yield written([COLUMNS])
    async for row_outcomes in batches:
        yield written(map(line, row_outcomes))


def line(fate: RowOutcome) -> tuple[str, str, str, str]:
    record, failed = fate.record, bool(fate.problems)
    source = record.get("source_id", "") if isinstance(record, Mapping) else ""
    return (
        source if isinstance(source, str) else "",
        word(not failed and not fate.created),
        word(not failed and not fate.superseded),
        PROBLEMS["superseded"] if fate.superseded else "; ".join(map(reason, fate.problems)),
    )


def word(value: bool) -> str:
    return "true" if value else "false"


def written(rows: Iterable[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "backslashreplace")
