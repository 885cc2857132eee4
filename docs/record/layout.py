"""Lays out JSON for people: what fits on a line stays on it, and numbers keep their digits."""

import json
from typing import Any

WIDTH = 110


class Number(str):
    """The digits of a number as they came."""

    __slots__ = ()


def layout(text: str) -> str | None:
    """The JSON laid out; None for what is no JSON object or array."""
    try:
        value = json.loads(text, parse_float=Number, parse_int=Number)
    except ValueError:
        return None
    return spread(value, "") if isinstance(value, dict | list) else None


def spread(value: Any, indent: str) -> str:
    line = flat(value)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        lines = [
            f"{inner}{json.dumps(name, ensure_ascii=False)}: {spread(each, inner)}" for name, each in value.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + spread(each, inner) for each in value) + f"\n{indent}]"


def flat(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {flat(each)}" for name, each in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(flat, value)) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)
