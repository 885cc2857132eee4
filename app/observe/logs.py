"""Writes events to stderr, for people or as JSON lines, with the ids of request and run, without cells or secrets."""

import errno
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import fields
from functools import cache
from typing import Any, Final

import structlog
from structlog.dev import (
    BRIGHT,
    DIM,
    RESET_ALL,
    Column,
    ConsoleRenderer,
    KeyValueColumnFormatter,
    LogLevelColumnFormatter,
)
from structlog.typing import Processor

from app.observe.events import Event
from app.observe.process_events import LibraryLogged

MAX_VALUE_CHARACTERS = 2_000
REPEAT_SECONDS = 60.0
EVENT_WIDTH = 16  # of most names; a longer one moves its line to the right
LEVELS: Mapping[str, int] = logging.getLevelNamesMapping()
ENCODE: Final = json.JSONEncoder(default=repr).encode  # json.dumps would make an encoder for every line


def configure(level: str, format: str | None = None) -> None:
    """Sets up the logging of a process: our events, and the warnings and errors of libraries, as `console` or `json`;
    without a format, for people where stderr is a terminal."""
    on_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            shorten_values,
            *(FORMATS[format or ("console" if on_terminal else "json")](on_terminal)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    bind_logger.cache_clear()
    logging.basicConfig(handlers=[LibraryHandler()], level=logging.WARNING, force=True)


def build_json(_: bool) -> list[Processor]:
    return [structlog.processors.TimeStamper(fmt="iso", utc=True), render_json]


def render_json(_: Any, __: str, values: MutableMapping[str, Any]) -> str:
    return ENCODE(values)


def build_console(on_terminal: bool) -> list[Processor]:
    """Time, level and event in columns, then the fields. Colours only on a terminal, and not where NO_COLOR is set."""
    colours = on_terminal and not os.environ.get("NO_COLOR")
    reset, faint, bold = (RESET_ALL, DIM, BRIGHT) if colours else ("", "", "")
    levels = ConsoleRenderer.get_default_level_styles(colours)
    plain = KeyValueColumnFormatter(None, "", "", str)
    fields = KeyValueColumnFormatter(faint, "", reset, spell_value)
    columns = [
        Column("timestamp", plain),
        Column("level", LogLevelColumnFormatter(levels, reset, width=len("warning"))),
        Column("event", KeyValueColumnFormatter(None, bold, reset, str, width=EVENT_WIDTH)),
        Column("", fields),
    ]
    return [
        drop_missing,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        ConsoleRenderer(columns=columns, sort_keys=False),
    ]


def spell_value(value: object) -> str:
    """A value as one word on one line: nothing in it can look like another line, another field or a colour."""
    text = str(value)
    plain = text.isprintable() and not any(each in text for each in ' "=')
    return text if plain and text else json.dumps(text)


def drop_missing(_: Any, __: str, values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


FORMATS: Mapping[str, Callable[[bool], list[Processor]]] = {"console": build_console, "json": build_json}


class LibraryHandler(logging.Handler):
    """Logs a library's message as an event of ours: with the logger's name and the kind of error, but without its text,
    which may hold cell values or parts of addresses. The same message is logged once a minute: a library that waits for
    a server logs every try."""

    def __init__(self) -> None:
        super().__init__()
        self._last_logged: dict[tuple[str, str, str | None], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        place = f"{record.module}:{record.lineno}"
        message = (record.name, place, error)
        if record.created - self._last_logged.get(message, 0.0) < REPEAT_SECONDS:
            return
        self._last_logged[message] = record.created
        level = max(record.levelno, logging.WARNING)
        log(LibraryLogged(record.name, place, error), level)


def log(event: Event, level: int | None = None) -> None:
    """Logs an event, at its own level unless another one is given. A log that cannot be written, on a full disk, stops
    nobody's work."""
    kind: Any = type(event)
    values = {name: getattr(event, name) for name in field_names(kind)}
    with suppress(OSError):
        bind_logger().log(level or LEVELS[event.level.upper()], event_name(kind), **values)


@cache
def bind_logger() -> Any:
    """Once, because that takes as long as to write a line."""
    return structlog.get_logger().bind()


@cache
def field_names(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def event_name(kind: type[Event]) -> str:
    """RunAccepted -> run_accepted."""
    return split_words(kind.__name__)


@cache
def split_words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def shorten_values(_: Any, __: str, values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in values.items():
        if isinstance(value, str) and len(value) > MAX_VALUE_CHARACTERS:
            values[key] = value[:MAX_VALUE_CHARACTERS] + "…"
    return values


def format_trace(error: BaseException) -> str:
    """The stack of an error, innermost frame last, without the error's text: drivers put cell values into it."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames)


def describe_crash(error: BaseException) -> str:
    """An unexpected error in one line, without its text."""
    return f"Unexpected error: {error_kind(error)} in {format_trace(error)}"


def error_kind(error: BaseException) -> str:
    """The class of an error, with the SQLSTATE if it came from the database, and the name of its number if it came from
    the system."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    if isinstance(error, OSError):
        state = errno.errorcode.get(error.errno or 0)
    return f"{type(error).__name__} {state}" if state else type(error).__name__
