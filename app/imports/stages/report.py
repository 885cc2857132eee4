"""Keeps what is worth telling about an import: problems grouped by cause, warnings, and the file of failed rows."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.formats.records import Position, Reader, Record, UnreadableRow
from app.imports.rows import REPORT_COLUMNS, Warned
from app.problems import Problem
from app.resources.conversion import quote_json
from app.resources.numbers import format_decimal
from app.resources.paths import flatten

SAMPLES = 3
CONSTANTS: dict[object, str] = {True: "true", False: "false", None: "null"}
GROUPS = 200  # causes told apart; a file can name no more columns than that worth reading
REREAD_BYTES = 1_048_576  # of the source at once; what is unreadable in it is kept whole, four times as long at worst


@dataclass(frozen=True, slots=True)
class Sheet:
    """The shape of a failed-rows file. `separators`: heading -> what stands between the items of a list. `nested`: the
    rows are JSON objects whose inner members have columns by their paths."""

    header: Sequence[str]
    delimiter: str
    separators: Mapping[str, str]
    nested: bool = False


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


def failed_header(sheet: Sheet) -> bytes:
    """The first line of a failed-rows file: all original columns, then ours."""
    names = [name for name in sheet.header if name not in REPORT_COLUMNS]
    return csv_line([*names, *REPORT_COLUMNS], sheet.delimiter)


def failed_rows(reader: Reader, start: Position, problems: Sequence[Problem], *, sheet: Sheet) -> Iterator[bytes]:
    """The failed rows of one batch as CSV lines, from re-reading the source from `start` on."""
    for record, told in reread(reader, start, problems):
        yield csv_line(failed_row(sheet, by_paths(record) if sheet.nested else record, told), sheet.delimiter)


def paths_of(reader: Reader, start: Position, problems: Sequence[Problem]) -> list[str]:
    """The paths of all that the failed rows of one batch hold."""
    found: dict[str, None] = {}
    for record, _ in reread(reader, start, problems):
        flat = by_paths(record)
        found |= dict.fromkeys(flat if isinstance(flat, Mapping) else ())
    return list(found)


def by_paths(record: Record | UnreadableRow) -> Record | UnreadableRow:
    """A JSON object by its paths; one that cannot be put so is shown as it is."""
    if not isinstance(record, Mapping):
        return record
    flat = flatten(record)
    if isinstance(flat, tuple):
        return UnreadableRow(0, 0, *flat, (), json_text(record))
    return {path: value for path, value in flat.items() if not isinstance(value, dict | list)}


def reread(
    reader: Reader, start: Position, problems: Sequence[Problem]
) -> Iterator[tuple[Record | UnreadableRow, list[Problem]]]:
    """The failed rows of the batch that begins at `start`, and what is wrong with each."""
    wanted: dict[int, list[Problem]] = {}
    for problem in problems:
        wanted.setdefault(problem.row, []).append(problem)
    position, last = start, max(wanted, default=0)
    while position.row < last:
        batch = reader.read(position, max_rows=last - position.row, max_bytes=REREAD_BYTES)
        found: dict[int, Record | UnreadableRow] = dict(zip(batch.rows, batch.records, strict=True))
        found |= {each.row: each for each in batch.unreadable}
        for row in sorted(found.keys() & wanted.keys()):
            yield found[row], wanted[row]
        if batch.last:
            return
        position = batch.end


def failed_row(sheet: Sheet, record: Record | UnreadableRow, problems: Sequence[Problem]) -> list[str]:
    """One failed row: its cells, then line, codes and messages. An unreadable row has no cells, only its text behind
    the messages: cut or filled up to fit the header, it could be sent back and be stored shifted."""
    codes = " ".join(dict.fromkeys(problem.code for problem in problems))
    messages = "; ".join(
        f"{problem.column}: {problem.message}" if problem.column else problem.message for problem in problems
    )
    if isinstance(record, UnreadableRow):
        cells, messages = [""] * len(sheet.header), f"{messages}. The row as sent: {record.raw}"
    elif isinstance(record, Mapping):
        cells = [cell_text(record.get(name), sheet.separators.get(name)) for name in sheet.header]
    else:
        cells = list(record)
    kept = [cell for name, cell in zip(sheet.header, cells, strict=True) if name not in REPORT_COLUMNS]
    return [*kept, str(problems[0].line), codes, messages]


def cell_text(value: object, separator: str | None) -> str:
    """A value of a JSON object as the cell that says the same; `separator` when the column holds a list."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if separator is not None and isinstance(value, list):
        items = [item for item in value if isinstance(item, str) and separator not in item]
        if len(items) == len(value):
            return separator.join(items)
    return json_text(value)


def json_text(value: object) -> str:
    """Any value of a JSON object, no deeper than the reader allows, with its digits: also one too large to store."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{quote_json(name)}:{json_text(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, Decimal):
        return format_decimal(value)
    if type(value) is int:  # equal to a truth value, should it be 1 or 0
        return str(value)
    return quote_json(value) if isinstance(value, str) else CONSTANTS[value]


def csv_line(cells: Sequence[str], delimiter: str) -> bytes:
    """The cells as they were sent, bytes that are not UTF-8 included."""
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    try:
        return line.getvalue().encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate out of a JSON escape has no bytes
        return line.getvalue().encode("utf-8", "backslashreplace")
