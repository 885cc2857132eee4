"""The command line between other programs: pipes that close, standard input, a full queue, Ctrl-C, narrow terminals."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.client.tables import TableColumn, print_table
from tests.cli.conftest import Sluice
from tests.cli.scripted import RUN_ID, Said, Service, accepted, playing, run
from tests.support.live import SOURCE_HOST

COMMAND = [sys.executable, "-m", "app"]
ROWS = "_email\n" + "".join(f"person{number}@example.com\n" for number in range(1_000))
FULL = Said(400, {"status": 400, "code": "E0401", "detail": "Ten imports wait"}, {"Retry-After": "0.1"})
FINISHED = Said(200, run(status="finished", created=5, success=5))
MANY = Said(200, {"links": {}, "results": [{"key": "x" * 1_000, "data": {}}] * 1_000})


def variables(service: Service) -> dict[str, str]:
    return {"SLUICE_URL": service.url, "SLUICE_KEY": "a:b", "COLUMNS": "200"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("records", "list", "contacts"), MANY),
        (("records", "list", "contacts", "--json"), MANY),
        (("imports", "failed-rows", "1"), Said(200, b"x,y\n" * 300_000)),
    ],
)
def test_output_that_nobody_reads_any_more_ends_the_command_quietly(arguments: tuple[str, ...], said: Said) -> None:
    with playing(Service([], [said])) as service:
        child = subprocess.Popen(
            [*COMMAND, *arguments],
            env=os.environ | variables(service),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.read(10)
        child.stdout.close()
        complaint = child.stderr.read()
        child.stderr.close()

    assert (child.wait(20), complaint) == (1, b"")


def test_standard_input_is_sent_as_it_comes(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        [*COMMAND, "import", "-", "--json"],
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        printed, complaint = child.communicate(ROWS, timeout=30)

    assert child.returncode == 0, complaint
    answer = json.loads(printed)
    assert (answer["fileName"], answer["created"]) == ("stdin", 1_000)


def test_a_named_pipe_is_a_stream_too(sluice: Sluice, tmp_path: Path) -> None:
    pipe = tmp_path / "people.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(ROWS,))
    writer.start()
    done = sluice("import", str(pipe), "--json")
    writer.join()

    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["created"] == 1_000


@pytest.mark.parametrize("stream", [False, True])
def test_a_full_queue_is_waited_for_if_that_is_wished(tmp_path: Path, stream: bool) -> None:
    file = tmp_path / "people.csv"
    file.write_text(ROWS)
    with playing(Service([FULL, FULL, accepted()], [FINISHED])) as service:
        arguments = ["import", "-" if stream else str(file), "--wait-for-room"]
        done = CliRunner().invoke(cli, arguments, input=ROWS if stream else None, env=variables(service))

    assert done.exit_code == 0, done.stderr
    assert done.stderr.count("Ten imports wait. Trying again in 0 s\n") == 2
    # All three times the whole file was sent.
    assert service.body.count(ROWS.encode()) == service.body.count(b'filename="') == 3


def test_a_full_queue_refuses_who_does_not_wait(tmp_path: Path) -> None:
    with playing(Service([FULL])) as service:
        done = CliRunner().invoke(cli, ["import", "-"], input=ROWS, env=variables(service))

    assert done.exit_code == 2
    assert done.stderr.endswith("sluice: Ten imports wait\n")


def test_what_will_not_change_is_not_waited_for() -> None:
    with playing(Service([Said(422, {"status": 422, "detail": "No column is known"})])) as service:
        done = CliRunner().invoke(cli, ["import", "-", "--wait-for-room"], input=ROWS, env=variables(service))

    assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, "sluice: No column is known")


@contextmanager
def slow_source() -> Iterator[tuple[str, threading.Event]]:
    """The address of a file that comes when the event is set."""
    released = threading.Event()
    waits = Said(200, ROWS.encode(), {"Content-Type": "text/csv", "ETag": '"1"'}, released)
    with playing(Service([], [waits]), SOURCE_HOST) as service:
        try:
            yield f"{service.url}/people.csv", released
        finally:
            released.set()


def test_a_running_service_says_when_there_may_be_room(sluice: Sluice, environment: dict[str, str]) -> None:
    with slow_source() as (address, _):
        for _ in range(2):  # as many as this service lets one account have
            assert sluice("import", address, "--no-wait").exit_code == 0
        with subprocess.Popen(
            [*COMMAND, "import", "-", "--wait-for-room", "--json"],
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdin is not None
            assert child.stderr is not None
            child.stdin.write(ROWS)
            child.stdin.close()
            said = child.stderr.readline()
            child.terminate()

    assert re.search(r"Trying again in [1-9]\d* s$", said.strip())


@pytest.mark.slow  # it waits for the ten seconds that the service names
def test_room_in_the_queue_of_a_running_service_is_waited_for(sluice: Sluice, environment: dict[str, str]) -> None:
    with slow_source() as (address, released):
        for _ in range(2):  # as many as this service lets one account have
            assert sluice("import", address, "--no-wait").exit_code == 0
        assert sluice("import", "-", sent=ROWS).exit_code == 2
        with subprocess.Popen(
            [*COMMAND, "import", "-", "--wait-for-room", "--json"],
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdin is not None
            assert child.stderr is not None
            child.stdin.write(ROWS)
            child.stdin.close()
            said = child.stderr.readline()
            released.set()
            assert child.stdout is not None
            answer = json.loads(child.stdout.read())

    assert re.search(r"Trying again in \d+ s$", said.strip())
    assert (child.returncode, answer["status"], answer["total"]) == (0, "finished", 1_000)


def test_the_next_page_comes_from_the_service_that_is_called_and_not_from_where_its_link_leads() -> None:
    """The link may name a proxy, or somebody who wants the key."""
    first = {"links": {"next": "http://127.0.0.1:1/records/contacts?limit=2&cursor=abc"}, "results": [{"key": "a"}]}
    last = {"links": {}, "results": [{"key": "b"}]}
    with playing(Service([], [Said(200, first), Said(200, last)])) as service:
        done = CliRunner().invoke(cli, ["records", "list", "contacts", "--limit", "3"], env=variables(service))

    assert [line.split()[0] for line in done.stdout.splitlines()] == ["KEY", "a", "b"]
    assert service.polls == 2


def test_a_list_ends_where_it_was_told_to() -> None:
    page = {"links": {"next": "http://x/imports?page=2&pageSize=76"}, "results": [{"id": "i"}] * 76}
    with playing(Service([], [Said(200, page)])) as service:
        done = CliRunner().invoke(cli, ["imports", "list", "--limit", "151", "--json"], env=variables(service))

    assert [len(json.loads(line)["results"]) for line in done.stdout.splitlines()] == [76, 75]


def test_interrupted_watching_says_how_to_go_on() -> None:
    with playing(Service([], [Said(200, run())])) as service:
        command = [*COMMAND, "imports", "watch", RUN_ID, "--url", service.url]
        environment = os.environ | {"SLUICE_KEY": "a:b"}
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as child:
            assert service.polled.wait(20)
            assert child.stderr is not None
            assert child.stderr.readline().startswith("Importing: ")
            child.send_signal(signal.SIGINT)
            said = child.stderr.read()

    assert child.returncode == 130
    assert said.endswith(f"Go on watching it with:\n  sluice imports watch {RUN_ID} --url {service.url}\n")
    assert "Traceback" not in said


PROBLEM = {
    "line": 3,
    "row": 2,
    "column": "_email",
    "field": "_email",
    "code": "type_error",
    "message": "The value is not a valid e-mail address",
    "value": "somebody-with-a-long-name@example\nx\x1b[2J",
    "key": None,
}


LISTED = {
    "id": RUN_ID,
    "type": "loyalty-card-holders",
    "status": "inProgress",
    "total": 1_000_000,
    "errors": 999_999,
    "createdAt": "2026-11-27T12:24:00.000Z",
    "fileName": "people-of-the-whole-year.csv",
}
KEYED = PROBLEM | {"key": "a-rather-long-address@example.com"}
RECORD = {"key": "a-rather-long-address@example.com", "updatedAt": "2026-11-27T12:24", "importId": RUN_ID}


@pytest.mark.parametrize(
    ("arguments", "row", "shown", "left_out"),
    [
        (("imports", "list"), LISTED, ["ID", "TYPE", "STATUS", "ROWS", "FAILED", "FILE"], "CREATED"),
        (("imports", "problems", "1"), KEYED, ["LINE", "COLUMN", "CODE", "PROBLEM", "VALUE"], "KEY"),
        (
            ("imports", "problems", "1"),
            PROBLEM | {"column": "_newsletterSubscriptionStatus", "code": "invalid_character", "key": "x@example.com"},
            ["LINE", "COLUMN", "PROBLEM", "VALUE"],
            "CODE",
        ),
        (("records", "list", "contacts"), RECORD | {"data": {"_name": "x" * 99}}, ["KEY", "UPDATED", "DATA"], "IMPORT"),
    ],
)
def test_80_columns_are_enough_for_what_matters(
    arguments: tuple[str, ...], row: dict[str, object], shown: list[str], left_out: str
) -> None:
    answer = {"links": {}, "results": [row]}
    with playing(Service([], [Said(200, answer)])) as service:
        terminal = variables(service) | {"COLUMNS": "80", "FORCE_COLOR": "1"}
        narrow = CliRunner().invoke(cli, [*arguments], env=terminal, color=True).stdout.splitlines()
        piped = CliRunner().invoke(cli, [*arguments], env=variables(service) | {"COLUMNS": "80"}).stdout.splitlines()

    assert narrow[0].split() == shown
    assert max(map(len, narrow)) <= 80
    assert left_out in piped[0].split()


def test_a_word_decides_how_wide_its_column_is(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [TableColumn("KEY", "id"), TableColumn("SCOPES", "scopes", wraps=True)]
    row = {"id": "k" * 50, "scopes": "imports:read imports:write connections:write"}

    with pytest.MonkeyPatch.context() as terminal:
        terminal.setenv("COLUMNS", "70")
        terminal.setenv("FORCE_COLOR", "1")
        print_table(columns, [row])

    assert "connections:write" in capsys.readouterr().out.split()


def test_a_narrow_terminal_breaks_no_word_and_shortens_what_is_long() -> None:
    with playing(Service([], [Said(200, {"links": {}, "results": [PROBLEM]})])) as service:
        terminal = variables(service) | {"COLUMNS": "60", "FORCE_COLOR": "1"}
        done = CliRunner().invoke(cli, ["imports", "problems", "1"], env=terminal, color=True)

    lines = re.sub(r"\x1b\[\d*m", "", done.stdout).splitlines()
    assert max(map(len, lines)) <= 60
    words = {word for line in lines[1:] for word in line.split()}
    assert {"_email", "The", "value", "is", "not", "valid", "e-mail", "address"} <= words
    assert any(word.endswith("…") for word in words)


def test_what_is_no_terminal_gets_whole_cells_without_control_characters() -> None:
    with playing(Service([], [Said(200, {"links": {}, "results": [PROBLEM]})])) as service:
        done = CliRunner().invoke(cli, ["imports", "problems", "1"], env=variables(service) | {"COLUMNS": "40"})

    assert done.stdout.splitlines()[1].split("  ")[-1] == r"somebody-with-a-long-name@example\nx\x1b[2J"
