"""JSON lines on stderr, one per event, with the ids of the request and the run; no cell values, no secrets."""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from dataclasses import fields
from typing import Any

import structlog

from app.observe.events import Event

LONGEST_VALUE = 2_000
AGAIN_SECONDS = 60.0
LEVELS: Mapping[str, int] = logging.getLevelNamesMapping()


def configure(level: str) -> None:
    """Sets up logging for a process: ours and that of libraries (from warning on) as JSON lines on stderr."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            shorten,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[LibraryLines()], level=logging.WARNING, force=True)


class LibraryLines(logging.Handler):
    """Says what a library logged as an event of ours: its logger's name and the kind of error, not its text, which may
    hold values of rows or parts of addresses. What comes again is said once a minute: who waits for a server logs each
    try."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str, str | None], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        place = f"{record.module}:{record.lineno}"
        line = (record.name, place, error)
        if record.created - self._said.get(line, 0.0) < AGAIN_SECONDS:
            return
        self._said[line] = record.created
        level = max(record.levelno, logging.WARNING)
        structlog.get_logger().log(level, "library_said", logger=record.name, place=place, error=error)


def log(event: Event) -> None:
    values = {each.name: getattr(event, each.name) for each in fields(event)}
    structlog.get_logger().log(LEVELS[event.level.upper()], name(event), **values)


def name(event: Event) -> str:
    """RunAccepted -> run_accepted."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(event).__name__).lower()


def shorten(_: Any, __: str, values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in values.items():
        if isinstance(value, str) and len(value) > LONGEST_VALUE:
            values[key] = value[:LONGEST_VALUE] + "…"
    return values


def trace(error: BaseException) -> str:
    """Where an error came from, without its text: a driver repeats row values in its messages."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames)


def kind(error: BaseException) -> str:
    """An error's kind: its class, with the SQLSTATE where a database said one."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__
