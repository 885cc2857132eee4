"""Writes records as lines of CSV: values of JSON become the cells that mean the same."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from app.resources.conversion import quote_json
from app.resources.numbers import format_decimal

JSON_CONSTANTS: dict[object, str] = {True: "true", False: "false", None: "null"}


def format_cell(value: object, separator: str | None) -> str:
    """A value of a JSON object as the cell that means the same; `separator` when the column holds a list."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if separator is not None and isinstance(value, list):
        cell = separator.join(filter(is_text, value))
        if not value or (cell.split(separator) == value and not cell.startswith('["')):
            return cell
    return format_json(value)


def is_text(value: object) -> bool:
    return isinstance(value, str)


def format_json(value: object) -> str:
    """Any value of a JSON object, no deeper than the reader allows, with all its digits, even if it is too large to be
    stored."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{quote_json(name)}:{format_json(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(format_json, value)) + "]"
    if isinstance(value, Decimal):
        return format_decimal(value)
    if type(value) is int:  # 1 and 0 equal the truth values in JSON_CONSTANTS
        return str(value)
    return quote_json(value) if isinstance(value, str) else JSON_CONSTANTS[value]


def format_lines(rows: Iterable[Sequence[str]], delimiter: str) -> bytes:
    """A line for each row, with its cells as they were sent, including bytes that are not UTF-8."""
    lines = io.StringIO()
    csv.writer(lines, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return encode_text(lines.getvalue())


def encode_text(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate from a JSON escape has no bytes
        return text.encode("utf-8", "backslashreplace")
