"""`sluice up`, as a person sees it: one process to start, to stop, and to kill."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from app.embedded import free_port
from tests.embedded.asking import Alive, Eventually
from tests.embedded.conftest import reachable_folder
from tests.support.commands import run_command, without_settings

ROOT = Path(__file__).parents[2]
LACKING = re.compile(r"^sluice: not ready yet: .*blobs: The object store cannot be used", re.MULTILINE)
# They share a worker, so that `running` is started once.
pytestmark = pytest.mark.xdist_group("commands")
PARTS = ("postgres", "valkey", "worker-1", "api")


@dataclass(frozen=True, slots=True)
class Up:
    process: subprocess.Popen[str]
    data: Path
    port: int

    def pid_of(self, part: str) -> int:
        # Empty for the moment in which it is written.
        return int([*(self.data / f"{part}.pid").read_text().split(), 0][0])

    def family(self) -> list[int]:
        """This process and everything below it."""
        me = psutil.Process(self.process.pid)
        return [me.pid, *(child.pid for child in me.children(recursive=True))]

    def status(self, path: str, key: str = "") -> int | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers={"Authorization": f"apiKey {key}"})
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    @property
    def said(self) -> str:
        return (self.data.parent / "stderr").read_text()


Start = Callable[..., Up]  # with settings


@contextmanager
def starting(data: Path) -> Iterator[Start]:
    """Starts `sluice up` on the folder and waits until it says that it is ready."""
    started: list[subprocess.Popen[str]] = []

    def run(**settings: str) -> Up:
        port = free_port()
        command = [sys.executable, "-m", "app", "up", "--port", str(port), "--data", str(data)]
        with (data.parent / "stderr").open("a") as stderr:
            process = subprocess.Popen(
                command, env=without_settings() | settings, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        started.append(process)
        up = Up(process, data, port)
        assert process.stdout is not None
        assert process.stdout.readline() == f"Sluice is ready at http://127.0.0.1:{port}\n", up.said
        return up

    yield run
    for process in started:
        with process:
            process.kill()


@pytest.fixture
def start(data: Path) -> Iterator[Start]:
    with starting(data) as run:
        yield run


@pytest.fixture(scope="module")
def running() -> Iterator[Up]:
    """One instance for the tests that leave it running."""
    with reachable_folder() as data, starting(data) as run:
        yield run()


def test_a_key_made_beside_a_running_instance_opens_its_api(running: Up) -> None:
    made = run_command("key", "create", "--account", "acme", "--data", str(running.data))

    key = made.stdout.splitlines()[-1]
    assert re.fullmatch(r"[^:\s]+:[^:\s]+", key), made.stderr
    assert running.status("/imports", key) == 200
    assert running.status("/imports", f"{key}x") == 401

    listed = run_command("key", "list", "--account", "acme", "--data", str(running.data))
    assert key.split(":")[0] in listed.stdout
    assert key.split(":")[1] not in listed.stdout

    assert run_command("key", "revoke", key.split(":")[0], "--data", str(running.data)).returncode == 0
    assert running.status("/imports", key) == 401


def test_the_whole_service_is_ready_when_it_says_so(running: Up, eventually: Eventually) -> None:
    assert running.status("/healthz") == 200
    # Ready needs a worker, which is a process of its own and may take a moment longer than the API.
    eventually(lambda: running.status("/readyz") == 200)


def test_what_does_not_work_yet_is_told_when_the_service_says_that_it_is_ready(
    start: Start, eventually: Eventually
) -> None:
    up = start(
        SLUICE_BLOBS="s3://uploads?endpoint=http://127.0.0.1:1&region=eu-west-1",
        SLUICE_BLOBS_KEY="key",
        SLUICE_BLOBS_SECRET="secret",
    )

    eventually(lambda: LACKING.search(up.said))


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_one_signal_stops_everything_cleanly(start: Start, alive: Alive, number: signal.Signals) -> None:
    up = start()
    family = up.family()
    assert {up.pid_of(part) for part in PARTS} < set(family)

    up.process.send_signal(number)

    assert up.process.wait(40) == 0
    assert not any(alive(pid) for pid in family)
    assert not (up.data / "servers" / "postgres" / "postmaster.pid").exists()
    order = re.findall(r'"part": "([\w-]+)", "event": "part_stopping"', up.said)
    assert order == ["api", "worker-1", "valkey", "postgres"]


@pytest.mark.slow
def test_a_second_signal_kills_what_does_not_stop(start: Start, eventually: Eventually, alive: Alive) -> None:
    up = start()
    family = up.family()
    api = psutil.Process(up.pid_of("api"))
    api.suspend()
    up.process.send_signal(signal.SIGINT)
    eventually(lambda: "part_stopping" in up.said)

    up.process.send_signal(signal.SIGINT)

    assert up.process.wait(5) == 130
    eventually(lambda: not any(alive(pid) for pid in family))


def test_every_part_that_is_killed_is_started_again(running: Up, eventually: Eventually) -> None:
    key = run_command("key", "create", "--account", "acme", "--data", str(running.data)).stdout.splitlines()[-1]

    # Valkey last: without it the worker ends by itself.
    for part in ("worker-1", "api", "postgres", "valkey"):
        before = running.pid_of(part)
        os.kill(before, signal.SIGKILL)
        eventually(lambda part=part, before=before: running.pid_of(part) != before)
        ended = rf'"part": "{part}", "exit_code": -9, "wait_seconds": [\d.]+, "event": "part_exited"'
        restarted = rf'"part": "{part}", .*"event": "part_restarted"'
        assert re.search(ended, running.said)
        # The new process's number is written before it is told.
        eventually(lambda restarted=restarted: re.search(restarted, running.said) is not None)

    eventually(lambda: running.status("/readyz") == 200, 30)
    assert running.status("/imports", key) == 200


def test_after_a_kill_nothing_is_left_and_the_next_start_goes_on(
    start: Start, eventually: Eventually, alive: Alive
) -> None:
    up = start()
    key = run_command("key", "create", "--account", "acme", "--data", str(up.data)).stdout.splitlines()[-1]
    family = up.family()

    up.process.kill()
    up.process.wait()

    eventually(lambda: not any(alive(pid) for pid in family))
    assert start().status("/imports", key) == 200


def test_a_start_on_a_folder_in_use_is_refused_and_says_by_whom(running: Up) -> None:
    refused = run_command("up", "--port", str(free_port()), "--data", str(running.data))

    assert refused.returncode == 1
    in_use = f"{running.data} is in use by process {running.process.pid}: Sluice runs there already"
    assert refused.stderr == f"sluice: {in_use}\n"


def test_a_port_in_use_is_refused_before_anything_starts(running: Up, tmp_path: Path) -> None:
    refused = run_command("up", "--port", str(running.port), "--data", str(tmp_path / "other"))

    assert refused.returncode == 1
    assert refused.stderr == (
        f"sluice: Cannot listen on port {running.port} of 127.0.0.1: another program has it. "
        "Choose another port with --port\n"
    )
    assert not (tmp_path / "other").exists()
