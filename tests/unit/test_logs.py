"""What is logged: as lines for people or for machines, and nothing that libraries or callers have written."""

import io
import json
import logging
import re
from contextlib import redirect_stderr
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from app.observe.events import BatchWritten, Event, FileFetched, ProbeServed, RequestServed
from app.observe.logs import REPEAT_SECONDS, LibraryHandler, configure, log, spell_value


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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


SERVED = RequestServed("r1", "GET", "/imports", "/imports", 200, 1.25, 17, key="sluice_1", account="acme")
FETCHED = FileFetched("run-1", 7, bytes=10, rows=2)


def written(event: Event, screen: io.StringIO, format: str | None = None) -> str:
    """What the event makes there. Logging is as before afterwards."""
    with redirect_stderr(screen):
        configure("info", format)
        log(event)
    configure("info")
    return screen.getvalue()


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_on_a_terminal_people_get_one_line_in_columns_and_in_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)

    line = written(FETCHED, Terminal())

    assert "\x1b[" in line
    form = r"\d\d:\d\d:\d\d \[info     \] file_fetched     run_id=run-1 account_id=7 bytes=10 rows=2\n"
    assert re.fullmatch(form, without_colours(line)), line


def test_no_color_is_heeded_and_what_is_missing_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    line = written(replace(SERVED, account=None), Terminal())

    assert "\x1b" not in line
    assert "account" not in line


def test_elsewhere_and_by_setting_machines_get_json() -> None:
    assert json.loads(written(SERVED, io.StringIO()))["event"] == "request_served"
    assert json.loads(written(SERVED, Terminal(), "json"))["account"] == "acme"
    assert "account=acme" in written(SERVED, io.StringIO(), "console")


@pytest.mark.parametrize(
    "evil", ["a\nb", "a\r12:00:00 [info] x", "\x1b[31mred", "x status=500", '"', "a\u2028b", "\u202egnp", ""]
)
@pytest.mark.parametrize("format", ["console", "json"])
def test_no_name_and_no_path_can_forge_a_line(format: str, evil: str) -> None:
    line = without_colours(written(replace(SERVED, path=f"/{evil}", account=evil), Terminal(), format))

    assert line.endswith("\n")
    assert line.isascii()
    assert line[:-1].isprintable()
    assert " status=500" not in line.replace(spell_value(f"/{evil}"), "").replace(spell_value(evil), "")


def test_probes_and_batches_are_for_those_who_look_closely() -> None:
    probe = ProbeServed("r", "GET", "/healthz", "/healthz", 200, 0.1, 2, key=None, account=None)
    for event in (probe, BatchWritten("r", 1, 1, 1, 0, 0, 0, 0, 0.1)):
        assert written(event, io.StringIO()) == ""
