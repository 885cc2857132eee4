"""Keeps what is worth telling about an import: problems grouped by cause, warnings, and the file of failed rows."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.formats.records import Position, Reader, Record
from app.imports.rows import REPORT_COLUMNS, Warned
from app.problems import Problem

SAMPLES = 3
GROUPS = 200  # causes told apart; a file can name no more columns than that worth reading


def add_problems(summary: list[dict[str, Any]], problems: Iterable[Problem]) -> None:
    """Counts problems into `summary`, one entry per code, field and column, each with its first three samples."""
    groups = {(each["code"], each["field"], each["column"]): each for each in summary}
    for problem in problems:
        group = groups.get((problem.code, problem.field, problem.column))
        if group is None:
            if len(groups) >= GROUPS:
                continue
            group = {"code": problem.code, "field": problem.field, "column": problem.column}
            group |= {"message": problem.message, "count": 0, "samples": []}
            groups[problem.code, problem.field, problem.column] = group
            summary.append(group)
        group["count"] += 1
        if len(group["samples"]) < SAMPLES:
            group["samples"].append({"line": problem.line, "row": problem.row, "value": problem.value})


def add_warnings(told: list[dict[str, Any]], warnings: Iterable[Warned]) -> None:
    """Counts warnings into `told`, one entry per code and subject, each with its first three samples."""
    groups = {(each["code"], each["subject"]): each for each in told}
    for warned in warnings:
        group = groups.get((warned.code, warned.subject))
        if group is None:
            if len(groups) >= GROUPS:
                continue
            group = {"code": warned.code, "subject": warned.subject, "message": warned.message}
            group |= {"count": 0, "samples": []}
            groups[warned.code, warned.subject] = group
            told.append(group)
        group["count"] += 1
        if warned.row is not None and len(group["samples"]) < SAMPLES:
            group["samples"].append({"line": warned.line, "row": warned.row, "message": warned.message})


def failed_header(header: Sequence[str], delimiter: str) -> bytes:
    """The first line of a failed-rows file: all original columns, then ours."""
    return csv_line([*(name for name in header if name not in REPORT_COLUMNS), *REPORT_COLUMNS], delimiter)


def failed_rows(
    reader: Reader, start: Position, problems: Sequence[Problem], *, header: Sequence[str], delimiter: str
) -> Iterator[bytes]:
    """The failed rows of one batch as CSV lines, from re-reading the source from `start` on."""
    wanted: dict[int, list[Problem]] = {}
    for problem in problems:
        wanted.setdefault(problem.row, []).append(problem)
    position, last = start, max(wanted, default=0)
    while position.row < last:
        batch = reader.read(position, max_rows=last - position.row, max_bytes=4_194_304)
        cells: dict[int, tuple[Record, str]] = {
            row: (record, "") for row, record in zip(batch.rows, batch.records, strict=True)
        }
        cells |= {each.row: (each.cells, each.raw) for each in batch.unreadable}
        for row in sorted(cells.keys() & wanted.keys()):
            yield csv_line(failed_row(header, *cells[row], wanted[row]), delimiter)
        if batch.last:
            return
        position = batch.end


def failed_row(header: Sequence[str], record: Record, raw: str, problems: Sequence[Problem]) -> list[str]:
    """One failed row: its cells as far as they could be told apart, then line, codes and messages."""
    cells = list(record) if not isinstance(record, dict) else [as_text(record.get(name)) for name in header]
    cells = (cells + [""] * len(header))[: len(header)]
    kept = [cell for name, cell in zip(header, cells, strict=True) if name not in REPORT_COLUMNS]
    codes = " ".join(dict.fromkeys(problem.code for problem in problems))
    messages = "; ".join(
        f"{problem.column}: {problem.message}" if problem.column else problem.message for problem in problems
    )
    return [*kept, str(problems[0].line), codes, f"{messages}. The row as sent: {raw}" if raw else messages]


def as_text(value: object) -> str:
    return "" if value is None else str(value)


def csv_line(cells: Sequence[str], delimiter: str) -> bytes:
    """The cells as they were sent, bytes that are not UTF-8 included."""
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    try:
        return line.getvalue().encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate out of a JSON escape has no bytes
        return line.getvalue().encode("utf-8", "backslashreplace")
