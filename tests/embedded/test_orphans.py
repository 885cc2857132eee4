"""When the process that started the servers is killed, nothing of it stays, and the next start goes on from there."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from app.embedded import run_servers
from tests.embedded.asking import Alive, Ask, Eventually, Query

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Owner:
    process: subprocess.Popen[str]
    database_url: str
    redis_url: str
    pids: list[int]


Start = Callable[..., Owner]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process that owns the servers: start(data, account)."""
    owners: list[subprocess.Popen[str]] = []

    def run(data: Path, *account: str) -> Owner:
        command = [sys.executable, str(Path(__file__).with_name("run_servers.py")), str(data), *account]
        environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd="/")
        owners.append(process)
        assert process.stdout is not None
        return Owner(process, *json.loads(process.stdout.readline()))

    yield run
    for owner in owners:
        with owner:
            owner.kill()


def test_after_a_kill_of_their_owner_no_server_is_left(
    start: Start, data: Path, eventually: Eventually, alive: Alive
) -> None:
    owner = start(data)
    family = [owner.process.pid, *(child.pid for child in psutil.Process(owner.process.pid).children(recursive=True))]
    assert set(owner.pids) < set(family)

    owner.process.kill()

    eventually(lambda: not any(alive(pid) for pid in family))


def test_a_start_right_after_a_kill_finds_everything_that_was_written(
    start: Start, data: Path, query: Query, ask: Ask
) -> None:
    owner = start(data)
    query(owner.database_url, "CREATE TABLE kept AS SELECT 42 AS n")
    ask(owner.redis_url, "SET", "kept", "42")
    owner.process.kill()
    owner.process.wait()

    with run_servers(data) as servers:
        assert query(servers.database_url, "SELECT n FROM kept") == 42
        assert ask(servers.redis_url, "GET", "kept") == "42"


def test_a_start_ends_the_servers_that_an_owner_could_not_take_along(
    start: Start, data: Path, query: Query, alive: Alive
) -> None:
    """As where there are no parent-death signals, or when the servers are still busy when the next owner comes."""
    owner = start(data)
    for pid in owner.pids:
        psutil.Process(pid).suspend()
    owner.process.kill()
    owner.process.wait()
    assert all(alive(pid) for pid in owner.pids)
    for pid in owner.pids:
        psutil.Process(pid).resume()

    with run_servers(data) as servers:
        assert query(servers.database_url, "SELECT 1") == 1
        assert not any(alive(pid) for pid in owner.pids)


def test_a_normal_user_runs_the_servers_too(start: Start, data: Path, query: Query, ask: Ask) -> None:
    data.parent.chmod(0o777)

    owner = start(data, *(["nobody"] if os.geteuid() == 0 else []))

    assert query(owner.database_url, "SELECT current_user") == "sluice"
    assert ask(owner.redis_url, "PING") is True
    assert {psutil.Process(pid).uids() for pid in owner.pids} == {psutil.Process(owner.process.pid).uids()}
    assert data.stat().st_uid != 0
    owner.process.send_signal(signal.SIGTERM)
    owner.process.wait(20)


def test_root_hands_its_servers_to_an_account_without_rights(start: Start, data: Path) -> None:
    owner = start(data)

    assert all(psutil.Process(pid).uids().effective != 0 for pid in owner.pids)
