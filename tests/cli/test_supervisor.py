"""What `sluice up` does with parts that exit before everything was ready."""

import os
import sys
import time
from pathlib import Path

import pytest

from app.cli.serving.supervisor import Program, Supervisor
from app.embedded import Command, StartFailed


def test_a_part_that_ends_for_a_setting_is_not_started_again(tmp_path: Path) -> None:
    supervisor = Supervisor()
    ends = [sys.executable, "-c", "raise SystemExit(2)"]
    command = Command(name="api", arguments=ends, environment=dict(os.environ), pid_file=tmp_path / "api.pid")
    supervisor.watch(Program(command), stage=0, stop_seconds=1).start()

    with pytest.raises(StartFailed, match="api cannot run with these settings"):
        check_until_exit(supervisor, seconds=15)


def check_until_exit(supervisor: Supervisor, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        supervisor.pause(0.02)
        supervisor.check_first_start()
