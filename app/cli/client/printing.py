"""Prints results on stdout and failures on stderr: lines, JSON, and facts about one thing."""

import json
import sys
from collections.abc import Mapping

from app.cli.client.failures import Digits, JsonObject, RequestFailed, list_holding, list_reasons


def show_value(value: object) -> str:
    """A JSON value for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return show_json(value) if isinstance(value, dict | list) else str(value)


def show_members(members: Mapping[str, object] | None) -> str:
    """The members of a JSON object for people: `format: csv; delimiter: ","; options: a, b`."""
    return "; ".join(f"{name}: {show_member(value)}" for name, value in (members or {}).items())


def show_member(value: object) -> str:
    """Lists without brackets, and words without quotation marks."""
    if isinstance(value, list):
        return ", ".join(map(show_member, value))
    plain = not isinstance(value, str) or any(each.isalnum() for each in value)
    return show_value(value) if plain else show_json(value)


def show_json(value: object) -> str:
    """JSON on one line, with the digits of numbers as they came."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{show_json(name)}: {show_json(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(show_json, value))}]"
    return value if isinstance(value, Digits) else json.dumps(value, ensure_ascii=False)


def show_time(value: object) -> str:
    """A time of the wire, which is UTC, to the minute: `2026-11-27 10:37`."""
    return str(value or "")[:16].replace("T", " ")


def print_facts(facts: Mapping[str, object]) -> None:
    """Prints names and values below each other. What is empty is left out."""
    shown = {name: show_value(value) for name, value in facts.items()}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        if value:
            print(f"{name:<{width}}  {escape_control_characters(value)}")


def print_json(body: Mapping[str, object]) -> None:
    """Prints what the service answered as it came, or what was made here in its place."""
    print(body.text if isinstance(body, JsonObject) else json.dumps(body))


def print_line(line: str) -> None:
    """Prints a line of a result at once: a reader at the other end of a pipe may wait for it."""
    print(escape_control_characters(line), flush=True)


def print_note(line: str) -> None:
    """Prints a line that is no result."""
    print(escape_control_characters(line), file=sys.stderr)


def print_error(failure: RequestFailed) -> None:
    """Prints why a request failed in one line, and below it reasons that the line does not tell."""
    detail = str(failure)
    print_note(f"sluice: {' '.join(detail.split())}")
    for reason in list_reasons(failure.body):
        if reason not in detail:
            print_note(f"  {reason}")
    for run in list_holding(failure.body):
        print_note(f"  {run}")


def escape_control_characters(text: str) -> str:
    """Replaces control characters, which would steer the terminal: cells and server messages may hold any."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
