"""Reads the form on which bad values are corrected: each field that says something is a correction."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

# As a request has it.
Body = dict[str, Any]


def read_fields(values: Mapping[str, str]) -> Iterator[tuple[str, Body]]:
    """Each such field with what it means. What a form that was changed by hand says wrongly is left out."""
    for name, value in values.items():
        kind, _, place = name.partition("-")
        correction = READERS[kind](value, values, place) if kind in READERS and value else None
        if kind == "cell":
            correction = read_cell(value, values, place)
        if correction is not None:
            yield name, correction


def read_comma(_value: str, values: Mapping[str, str], place: str) -> Body:
    return {"column": values.get(f"column-{place}", ""), "decimalComma": True}


def read_date(value: str, values: Mapping[str, str], place: str) -> Body:
    return {"column": values.get(f"column-{place}", ""), "dateFormat": value.strip()}


def read_ignored(_value: str, values: Mapping[str, str], place: str) -> Body:
    return {"column": values.get(f"column-{place}", ""), "ignore": True}


def read_value(value: str, values: Mapping[str, str], place: str) -> Body | None:
    match read_known(values.get(f"value-{place}", "")):
        case [str(column), str(code), str(bad)]:
            return {"column": column, "code": code, "from": bad, "to": value}
    return None


def read_blank(_value: str, values: Mapping[str, str], place: str) -> Body | None:
    return None if values.get(f"to-{place}") else read_value("", values, place)


def read_cell(value: str, values: Mapping[str, str], place: str) -> Body | None:
    """Nothing if the cell is as it was."""
    match read_known(values.get(f"was-{place}", "")):
        case [int(row), str(column), str(was)] if value != was:
            return {"column": column, "row": row, "to": value}
    return None


def read_known(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


READERS: Final[Mapping[str, Callable[[str, Mapping[str, str], str], Body | None]]] = {
    "comma": read_comma,
    "date": read_date,
    "ignore": read_ignored,
    "to": read_value,
    "blank": read_blank,
}
