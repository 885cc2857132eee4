"""Writes events to stderr as JSON lines, with the ids of request and run and without cell values or secrets."""

import errno
import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import fields
from typing import Any

import structlog

from app.observe.events import Event
from app.observe.process_events import LibraryLogged

MAX_VALUE_CHARACTERS = 2_000
REPEAT_SECONDS = 60.0
LEVELS: Mapping[str, int] = logging.getLevelNamesMapping()


def configure(level: str) -> None:
    """Sets up the logging of a process: our events, and the warnings and errors of libraries, as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            shorten_values,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[LibraryHandler()], level=logging.WARNING, force=True)


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
    values = {each.name: getattr(event, each.name) for each in fields(event)}
    with suppress(OSError):
        structlog.get_logger().log(level or LEVELS[event.level.upper()], event_name(event), **values)


def event_name(event: Event) -> str:
    """RunAccepted -> run_accepted."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(event).__name__).lower()


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
