"""`sluice import` against a server that answers what is written down."""

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.cli.client.failures import RequestFailed
from app.cli.client.http import open_client
from app.cli.importing.progress import ProgressStep
from app.cli.importing.status import ImportStatus
from app.cli.importing.transfer import ImportRequest, start_import
from app.cli.importing.watching import import_step, watch
from tests.cli.scripted import RUN_ID, Said, Service, accepted, playing, run

KEY = "abc:secret"
FINISHED = Said(200, run(status="finished", created=3, updated=2, success=5))
PARTIAL = Said(
    200,
    run(
        status="finished",
        created=3,
        success=3,
        errors=2,
        errorSummary=[
            {
                "code": "type_error",
                "field": "_email",
                "column": "_email",
                "count": 2,
                "message": "Not an address",
                "samples": [{"line": 4, "row": 3, "value": "ana\x1b[31m@"}],
            }
        ],
        warnings=[{"code": "duplicate_key", "message": "Key twice", "count": 7, "samples": []}],
    ),
)
INVALID = {
    "status": 422,
    "title": "The request is not valid",
    "detail": "Two parts are wrong",
    "code": "invalid",
    "errors": [{"path": "type", "reason": "There is no type `people`"}],
    "validationErrors": [
        {"path": "type", "reason": "There is no type `people`"},
        {"path": "delimiter", "reason": "`delimiter` is too long"},
    ],
}

Playing = Callable[..., Service]


@pytest.fixture
def service() -> Iterator[Playing]:
    with ExitStack() as stack:
        yield lambda post, *gets: stack.enter_context(playing(Service([post], list(gets))))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("_email,_name\nana@example.com,Ana\n")
    return path


def sluice_import(file: Path, url: str, *more: str, key: str = KEY) -> Result:
    environment = {"SLUICE_KEY": key, "SLUICE_URL": url, "COLUMNS": "160"}
    return CliRunner().invoke(cli, ["import", str(file), *more], env=environment)


def test_a_clean_import_prints_its_counts_and_exits_with_0(service: Playing, file: Path) -> None:
    played = service(accepted(), Said(200, run(success=2, created=2)), FINISHED)

    done = sluice_import(file, played.url)

    assert done.exit_code == 0
    assert f"Import {RUN_ID} of contacts: finished" in done.stdout
    cells = [line.replace("│", " ").split() for line in done.stdout.splitlines()]
    assert ["5", "3", "2", "0", "0", "0"] in cells
    assert played.polls == 2


def test_the_options_become_the_documented_form_parts(service: Playing, file: Path) -> None:
    played = service(accepted(), FINISHED)

    sluice_import(file, played.url + "/", "--type", "coupons", "--delimiter", ";", "--only-empty", "--coupon-set", "x1")

    names = ("type", "delimiter", "overrideExisting", "updateOnlyEmptyFields", "couponSetId")
    assert [played.part(name) for name in names] == ["coupons", ";", "true", "true", "x1"]
    assert b'filename="people.csv"\r\nContent-Type: text/csv\r\n\r\n' + file.read_bytes() in played.body
    assert played.headers["Authorization"] == f"apiKey {KEY}"


def test_without_options_everything_is_overwritten_and_the_delimiter_found(service: Playing, file: Path) -> None:
    played = service(accepted(), FINISHED)

    sluice_import(file, played.url)

    names = ("type", "delimiter", "overrideExisting", "updateOnlyEmptyFields", "couponSetId")
    assert [played.part(name) for name in names] == ["contacts", "auto", "true", "false", None]


def test_bad_rows_are_grouped_and_exit_with_1(service: Playing, file: Path) -> None:
    done = sluice_import(file, service(accepted(), PARTIAL).url)

    assert done.exit_code == 1
    assert all(word in done.stdout for word in ("type_error", "Not an address", "duplicate_key"))
    assert f"  sluice imports failed-rows {RUN_ID}\n" in done.stdout


def test_what_would_steer_the_terminal_is_spelt_out(service: Playing, file: Path) -> None:
    done = sluice_import(file, service(accepted(), PARTIAL).url)

    assert r"line 4: ana\x1b[31m@" in done.stdout
    assert "\x1b" not in done.stdout


def test_why_a_whole_import_failed_is_told(service: Playing, file: Path) -> None:
    failure = {"code": "source_missing", "detail": "The stored file is gone"}

    done = sluice_import(file, service(accepted(), Said(200, run(status="error", failure=failure))).url)

    assert "The import failed (source_missing): The stored file is gone" in done.stdout


@pytest.mark.parametrize("status", ["error", "cancelled"])
def test_an_import_that_did_not_work_exits_with_2(service: Playing, file: Path, status: str) -> None:
    done = sluice_import(file, service(accepted(), Said(200, run(status=status))).url)

    assert done.exit_code == 2
    assert status in done.stdout


def test_a_refusal_names_every_complaint_once_and_exits_with_2(service: Playing, file: Path) -> None:
    done = sluice_import(file, service(Said(422, INVALID)).url)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "sluice: Two parts are wrong\n" in done.stderr
    assert done.stderr.count("There is no type `people`") == 1
    assert "`delimiter` is too long" in done.stderr


RUN = {"id": "1a", "kind": "import", "type": "contacts", "status": "running", "percent": 62.5, "name": "august.csv"}
WAITING = {"id": "1b", "kind": "import", "type": "products", "status": "queued", "percent": 0.0}
FULL = {"status": 400, "detail": "Ten wait", "code": "E0401", "queue": {"limit": 2, "open": 2, "runs": [RUN, WAITING]}}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Said(401, {"status": 401, "title": "Wrong key", "detail": "No such key"}), "sluice: No such key\n"),
        (
            Said(400, {"status": 400, "title": "Bad Request", "detail": "Ten wait", "code": "E0401"}),
            "sluice: Ten wait\n",
        ),
        (Said(400, FULL), "sluice: Ten wait\n  Import 1a of contacts, august.csv: running, 62.5 %\n  Import 1b of"),
        (Said(413, {"status": 413, "title": "Too large", "detail": "52 MB"}, reads_first=False), "sluice: 52 MB\n"),
        (Said(502, b"<html>Bad gateway</html>"), "502"),
        (Said(201, b"<html>Hello</html>"), "answered 201"),
        (Said(201, {"hello": "world"}), "did not answer with an import"),
    ],
)
def test_whatever_refuses_the_file_is_told_and_exits_with_2(
    service: Playing, file: Path, said: Said, words: str
) -> None:
    done = sluice_import(file, service(said).url)

    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr


def test_a_service_that_is_not_there_is_told(file: Path) -> None:
    done = sluice_import(file, "http://127.0.0.1:1")

    assert done.exit_code == 2
    assert "http://127.0.0.1:1" in done.stderr
    assert "nothing listens there" in done.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://example.com", "http://", "http://a:b:c"])
def test_what_is_no_address_is_told(file: Path, url: str) -> None:
    done = sluice_import(file, url)

    assert done.exit_code == 2
    assert f"sluice: The address {url} " in done.stderr


def test_a_missing_file_is_told_before_anything_is_sent(service: Playing, tmp_path: Path) -> None:
    played = service(accepted(), FINISHED)

    missing = sluice_import(tmp_path / "nothing.csv", played.url)
    folder = sluice_import(tmp_path, played.url)

    assert (missing.exit_code, folder.exit_code, played.body) == (2, 2, b"")
    assert "nothing.csv cannot be read: No such file" in missing.stderr
    assert "Is a directory" in folder.stderr


@pytest.mark.parametrize(
    ("key", "words"), [("", "SLUICE_KEY"), (" ", "SLUICE_KEY"), ("ключ:x", "The API key contains characters")]
)
def test_a_missing_key_is_told(service: Playing, file: Path, key: str, words: str) -> None:
    done = sluice_import(file, service(accepted(), FINISHED).url, key=key)

    assert done.exit_code == 2
    assert words in done.stderr


def test_trouble_while_polling_is_waited_out(service: Playing, file: Path) -> None:
    troubles = (Said(500, {"title": "Oh"}), Said(503, b"", {"Retry-After": "0.1"}), Said(429, {}))
    played = service(accepted(), *troubles, FINISHED)

    done = sluice_import(file, played.url)

    assert (done.exit_code, played.polls) == (0, 4)


def test_a_service_that_goes_away_and_comes_back_is_waited_for(service: Playing, file: Path) -> None:
    played = service(accepted(), Said(0, b""), FINISHED)
    steps: list[ProgressStep] = []

    with open_client(played.url, KEY) as client:
        answer = watch(client, start_import(client, ImportRequest(file), steps.append), steps.append)

    assert answer.run.status == "finished"
    assert any("not available" in step.note for step in steps)


def test_trouble_that_does_not_end_is_given_up(service: Playing, file: Path) -> None:
    played = service(accepted(), Said(500, {}))
    steps: list[ProgressStep] = []

    with (
        open_client(played.url, KEY) as client,
        pytest.raises(RequestFailed, match=r"available for 1 seconds: it answered 500\. The import continues"),
    ):
        watch(client, start_import(client, ImportRequest(file), steps.append), steps.append, patience=1)

    assert played.polls > 1


def test_a_poll_that_is_refused_is_not_repeated(service: Playing, file: Path) -> None:
    played = service(accepted(), Said(401, {"status": 401, "title": "Wrong key"}))

    done = sluice_import(file, played.url)

    assert (done.exit_code, played.polls) == (2, 1)
    assert f"sluice: Wrong key\nGo on watching it with:\n  sluice imports watch {RUN_ID}\n" in done.stderr


def test_later_polls_wait_as_long_as_the_service_asks(service: Playing, file: Path) -> None:
    working = Said(200, run(), {"Retry-After": "1"})
    played = service(accepted(), *[working] * 5, FINISHED)

    begun = time.monotonic()
    done = sluice_import(file, played.url)
    seconds = time.monotonic() - begun

    # Four quick polls (1.0 s in all), then two that wait for a second each.
    assert done.exit_code == 0
    assert 2.9 < seconds < 6


def test_polls_are_held_where_the_service_does_that_until_something_has_changed(service: Playing, file: Path) -> None:
    applied = {"Preference-Applied": "wait=20", "Retry-After": "30"}
    first = Said(201, run(status="queued"), {"ETag": 'W/"1"'})
    played = service(first, Said(304, b"", applied), Said(200, run(), applied | {"ETag": 'W/"2"'}), FINISHED)

    done = sluice_import(file, played.url)

    assert done.exit_code == 0
    assert [each["If-None-Match"] for each in played.asked] == ['W/"1"', 'W/"1"', 'W/"2"']
    assert {each["Prefer"] for each in played.asked} == {"wait=20"}


def test_json_prints_the_final_import_alone(service: Playing, file: Path) -> None:
    done = sluice_import(file, service(accepted(), Said(500, {}), PARTIAL).url, "--json")

    assert done.exit_code == 1
    assert json.loads(done.stdout) == PARTIAL.body
    assert done.stderr == ""


def test_json_prints_the_refusal_as_it_was_answered(service: Playing, file: Path) -> None:
    done = sluice_import(file, service(Said(422, INVALID)).url, "--json")

    assert done.exit_code == 2
    assert json.loads(done.stdout) == INVALID


def test_json_is_an_object_even_when_nobody_answers(file: Path) -> None:
    done = sluice_import(file, "http://127.0.0.1:1", "--json")

    assert done.exit_code == 2
    assert json.loads(done.stdout)["title"] == "No response"


def test_without_a_terminal_progress_is_plain_lines(service: Playing, file: Path) -> None:
    working = Said(200, run(success=2, errors=1, etaSeconds=3))
    done = sluice_import(file, service(accepted(queuePosition=4), *[working] * 2, FINISHED).url)

    lines = done.stderr.splitlines()
    assert lines[0] == "Sending: 33 bytes of 33 bytes (100 %)"
    assert lines[1] == "Importing: 0 of 5 rows (0 %), waiting, position 4 in the queue"
    assert lines[-1] == "Importing: 5 of 5 rows (100 %)"
    assert len(lines) <= 4
    assert import_step(ImportStatus("1", "inProgress", errors=1, waiting_for="database")).note == (
        "1 failed, waiting for database"
    )
    assert "\x1b" not in done.stderr


def test_an_import_without_waiting_is_only_accepted(service: Playing, file: Path) -> None:
    played = service(accepted(), FINISHED)

    done = sluice_import(file, played.url, "--no-wait")

    assert (done.exit_code, played.polls) == (0, 0)
    assert RUN_ID in done.stdout


def test_interrupted_waiting_says_how_to_look_again_and_exits_with_130(service: Playing, file: Path) -> None:
    played = service(accepted(), Said(200, run()))
    command = [sys.executable, "-m", "app", "import", str(file), "--url", played.url]
    environment = {**os.environ, "SLUICE_KEY": KEY}

    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert played.polled.wait(20)
        child.send_signal(signal.SIGINT)
        _, stderr = child.communicate(timeout=20)

    assert child.returncode == 130
    assert "The import continues" in stderr
    assert f"  sluice imports watch {RUN_ID} --url {played.url}\n" in stderr


def test_a_large_file_is_sent_from_disk_in_constant_memory(service: Playing, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as target:
        target.truncate(20_000_000)
    played = service(accepted(), Said(200, {"maxFileBytes": 20_000_000}))
    steps: list[ProgressStep] = []

    tracemalloc.start()
    try:
        with open_client(played.url, KEY) as client:
            start_import(client, ImportRequest(large), steps.append)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4_000_000
    assert int(played.headers["Content-Length"]) == played.body_length > 20_000_000
    assert len(steps) > 100
    assert steps[-1].done == steps[-1].total == 20_000_000


def test_the_help_names_the_variables(file: Path) -> None:
    done = CliRunner().invoke(cli, ["import", "--help"], env={"COLUMNS": "160", "NO_COLOR": "1"})

    assert all(word in done.stdout for word in ("SLUICE_KEY", "SLUICE_URL", "--coupon-set", "--no-override", "--json"))
