"""What libraries log becomes lines of ours."""

import logging

from structlog.testing import capture_logs

from app.observe.logs import REPEAT_SECONDS, LibraryHandler


def said(line: int, created: float) -> logging.LogRecord:
    record = logging.LogRecord("arq.connections", logging.WARNING, "connections.py", line, "retry", None, None)
    record.created = created
    return record


def test_what_a_library_says_again_and_again_is_told_once_a_minute() -> None:
    lines = LibraryHandler()

    with capture_logs() as told:
        for second in range(20):
            lines.emit(said(284, 1_000.0 + second))
        lines.emit(said(285, 1_020.0))
        lines.emit(said(284, 1_000.0 + REPEAT_SECONDS))

    assert [line["place"] for line in told] == ["connections:284", "connections:285", "connections:284"]
