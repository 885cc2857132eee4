"""Tables in different places agree, and no file names what it must not."""

import re
import subprocess
from pathlib import Path

import pytest

from app.queue.tasks import TASKS
from workers.tasks import FUNCTIONS

ROOT = Path(__file__).resolve().parents[2]
TRACKED = [
    ROOT / name
    for name in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
]
MACHINE_PATHS = re.compile("/" + "work/|/" + "root/|/" + "home/[a-z]+/")
INDEX_HOSTS = re.compile(r"--(extra-)?index-url|--find-links|pypi\.org|pythonhosted|registry\.npmjs", re.IGNORECASE)


def test_every_job_has_a_function() -> None:
    assert set(FUNCTIONS) == {task.name for task in TASKS.values()}


@pytest.mark.parametrize("path", TRACKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_tracked_file_names_a_machine_path_or_a_package_host(path: Path) -> None:
    if not path.is_file() or path == Path(__file__):
        return
    text = path.read_text(errors="ignore")
    assert not MACHINE_PATHS.search(text)
    assert not INDEX_HOSTS.search(text)


def test_the_lock_holds_a_hash_for_every_package() -> None:
    for name in ("requirements.txt", "requirements-server.txt", "requirements-dev.txt", "requirements-bootstrap.txt"):
        assert_hashed(ROOT / name)


@pytest.mark.parametrize("path", sorted((ROOT / "tests/sdk/requirements").glob("*.txt")), ids=lambda path: path.stem)
def test_the_locks_of_clients_hold_hashes_too(path: Path) -> None:
    assert_hashed(path)


def assert_hashed(path: Path) -> None:
    for block in re.split(r"\n(?=\S)", path.read_text()):
        if "==" in block and not block.startswith("#"):
            assert "--hash=sha256:" in block, block
