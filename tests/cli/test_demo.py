"""`sluice demo` from beginning to end, and the example files it lives on."""

import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from app.cli.demo import EXPECTED, DemoFailed, check_counts
from app.cli.importing.status import ImportStatus

ROOT = Path(__file__).resolve().parents[2]
DEMO = [sys.executable, "-m", "app", "demo"]


def environment(temporary: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), "COLUMNS": "160"}


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where the demo makes its folder; the servers' own account must be able to walk in when we are root."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o711)
    return tmp_path


@pytest.mark.timeout(120)
def test_the_demo_imports_the_example_and_leaves_nothing_behind(temporary: Path) -> None:
    done = subprocess.run(DEMO, check=False, cwd=ROOT, env=environment(temporary), capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    cells = [line.replace("│", " ").split() for line in done.stdout.splitlines()]
    assert ["1,000", "988", "0", "0", "0", "12"] in cells
    assert all(word in done.stdout for word in ("encoding_error", "extra_cell", "sluice import", "_codes"))
    assert "\\ufeff" not in done.stdout  # the mark that begins the file of failed rows
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_an_interrupted_demo_stops_all_that_it_has_started(temporary: Path) -> None:
    with subprocess.Popen(
        DEMO, cwd=ROOT, env=environment(temporary), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None
        assert any("Creating an API key" in line for line in child.stdout)
        started = psutil.Process(child.pid).children(recursive=True)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)

    assert len(started) >= 4
    assert child.returncode not in {0, -signal.SIGTERM}
    assert psutil.wait_procs(started, timeout=5)[1] == []
    assert list(temporary.iterdir()) == []


def test_a_demo_with_other_counts_has_failed() -> None:
    right = {**EXPECTED, "id": "1", "status": "finished"}

    check_counts(ImportStatus(**right))  # type: ignore[arg-type]
    for wrong in ({"created": 987}, {"errors": 13}, {"skipped": 1}, {"status": "error"}):
        with pytest.raises(DemoFailed):
            check_counts(ImportStatus(**{**right, **wrong}))  # type: ignore[arg-type]


def test_a_service_that_does_not_start_fails_the_demo_at_once(tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("")

    begun = time.monotonic()
    done = subprocess.run([*DEMO, "--data", str(no_folder)], check=False, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 1
    assert "the service did not start" in done.stderr
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("name", ["contacts", "products", "coupons"])
def test_the_example_files_are_what_their_generator_writes(name: str) -> None:
    made = runpy.run_path(str(ROOT / "examples" / "make_contacts.py"))[name]()

    assert (ROOT / "examples" / f"{name}.csv").read_bytes() == made


def test_the_examples_hold_the_rows_that_the_demo_expects() -> None:
    made = runpy.run_path(str(ROOT / "examples" / "make_contacts.py"))

    assert made["ROWS"] == EXPECTED["total"]
    assert len(made["BAD"]) == EXPECTED["errors"]
